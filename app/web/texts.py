"""Every sentence of the page. Errors bring their own; so does the scene viewer, which is a program of its own."""

TITLE = "recon"
TAGLINE = "Photographs in, a 3D scene out. Nothing leaves the machine that this page comes from."

PHOTOGRAPHS = "Photographs"
DROP = "Drop photographs, a video or a zip here,\nor click to choose"
ADDED = "{num} files. Drag to reorder."
ONE_ADDED = "One file."
CLEAR = "Remove all"
EARLIER, LATER, REMOVE = "Move {name} forward", "Move {name} back", "Remove {name}"

TIPS_TITLE = "What makes a good set"
TIPS = (
    ("10 to 40 photographs", "of one room or one thing, two are the least"),
    ("Step sideways", "between them: turning on the spot gives no depth"),
    ("Two thirds the same", "from one photograph to the next"),
    ("Nothing moves", "while you take them, and the light stays"),
)
EXAMPLE_TITLE = "No photographs at hand?"
EXAMPLE = "Take the sample: ten photographs of a room"

OPTIONS = "Options"
QUALITY = "Quality"
QUALITIES = (("Fast", "fast"), ("Balanced", "balanced"), ("Best", "best"))
QUALITY_CHOICE_HELP = "Fast is a first look; best takes several times as long as balanced."
POSES = "Camera positions"
POSES_HELP = "Found from the photographs, unless a zip brings them (COLMAP, transforms.json)."
POSE_SOURCES = (("Whichever fits", "auto"), ("Find them", "sfm"), ("Take those of the zip", "given"))
MESH = "Make a surface mesh too"
MESH_HELP = "One surface for 3D modelling programs (mesh.glb)."
EXPORTS = "Files"
EXPORTS_HELP = "What to write besides the scene for the viewer."
EXPORT_NAMES = (
    ("Video (mp4)", "mp4"),
    ("Depth maps", "depth"),
    ("Camera positions for nerfstudio (transforms.json)", "transforms"),
    ("Camera positions for COLMAP", "colmap"),
    ("Gaussians as glTF (glb)", "glb"),
    ("Gaussians, compressed (spz)", "spz"),
    ("Gaussians for web viewers (splat)", "splat"),
    ("Points (ply)", "points"),
)
VIEWS = "Use at most so many photographs"
VIEWS_HELP = "Evenly spread. 0 for all."
FPS = "Frames a second from a video"
FPS_HELP = "The sharpest of each interval is taken. 0 for about 40 in all."
SEED = "Seed"
SEED_HELP = "The same photographs, options and seed give the same scene."
RUN = "Make it 3D"
CANCEL = "Stop"
AGAIN = "Start anew"

WELCOME_TITLE = "Your scene will be here"
WELCOME = (
    "The program finds where each photograph was taken, builds the scene, and refines it until it looks like the "
    "photographs. A few minutes on a computer without a graphics card, seconds with one."
)
WAITING_FIRST = "You are next"
WAITING = "{num} before you"
LEFT_SECONDS = "about {num} s left"
LEFT_MINUTES = "about {num} min left"
LEFT_UNKNOWN = "the time left is being measured"
STARTING = "Starting"
KEEP = "You may close this page: its address leads back here. Results are kept for {time}."
DONE = "Done"
DONE_SUMMARY = "{placed} of {total} photographs placed, {gaussians} Gaussians, {seconds}"
CANCELLED_TITLE, CANCELLED = "Stopped", "Nothing that it made was kept."
LESS_WORK, TRY_AGAIN = "use fewer photographs or a lower quality", "try it again, or with other options"
TOO_LONG = "the job took longer than {seconds:.0f} s, more is not allowed"
KILLED = "the system ended the job, most likely because memory ran out"
NO_MEMORY = "memory ran out"
BROKE_DOWN, SAID_NONSENSE = "the job broke down (exit code {code})", "the job broke down: it said what is no event"
UNKNOWN_ERROR = "the program met an error that it does not know: {kind}"
SERVER_ERROR, START_AGAIN = "the server met an error that it does not know", "start it again"
NO_WORKER, TRY_LATER = "no worker can be started ({reason})", "try again later"
GETTING_READY = "getting ready"
FAILED_TITLE = "That did not work"
NOT_SHOWN = "The result is there but cannot be shown. The log of the server says why."
GONE_TITLE = "This scene is no longer here"
GONE = "Results are removed some time after they were last looked at. Upload the photographs again to make it anew."
NO_PHOTOGRAPHS = "There are no photographs yet."
NOT_TAKEN = "Not taken"
ONE_IS, SOME_ARE, AND_MORE = "One photograph is", "{num} photographs are", " and {num} more"
LOOKS_WRONG = {
    "broken": ("damaged", "save it again, or leave it out"),
    "blurry": ("blurred", "hold the camera still, or leave out what is blurred"),
    "dark": ("very dark", "use more light"),
    "apart": ("unlike all others", "each should show at least half of what the one before it shows"),
    "alike": ("nearly the same as the one before", "move the camera some steps between photographs"),
}
FEW = "Only {num} photographs. More of them, from places some steps apart, make a better scene."
SIZES = "The photographs have {num} different sizes ({listed}): best is one camera, without cropping."
VIDEO_HOLDS = (
    "The video: {seconds} s, {width} x {height} pixels. About {num} of its frames are taken, the sharpest of each "
    "stretch; the options can ask for others."
)
VIDEO_HOLDS_SIZE = "The video: {width} x {height} pixels; it does not say how long it is."
ZIP_HOLDS = "The zip: {num} photographs, {size:,.0f} MB."
ZIP_HOLDS_POSES = "It brings camera positions."
ZIP_HOLDS_VIDEO = "The zip: a video."
NO_ROOM = (
    "The disk of the server has no room for {upload} MB more: {free} MB are free, {others} MB are on their way, "
    "{kept} MB are kept free for results. Upload fewer photographs, or try again when other jobs are over."
)

LOOK = "Look around"
LOOK_HELP = "Drag to turn, scroll to come nearer, W A S D to walk; a photograph leads to its place."
LOOK_OPEN = "Open in its own window"
LOOK_EARLY = {
    "poses": "Where the photographs were taken, and the points seen in several of them",
    "gaussians": "First result",
    "refinement": "The refined scene; its files are being written",
}
VIDEO = "Video"
FILM = "A flight through the places of the photographs"
MESH_TAB = "Mesh"
MESH_LOOK_HELP = "One surface, seen from its front only. Drag to turn, scroll to come nearer, W A S D to walk."
DEPTH = "Depth"
DEPTH_HELP = "How far away things are: red is near, blue is far, black is not known."
CONFIDENCE_HELP = "How sure the scene is: bright where it covers the picture fully."
PHOTOGRAPHS_TAB = "Photographs"
COMPARE = "Drag across: left the photograph, right the scene rendered from the same place."
COLUMNS = ("Photograph", "Placed", "Used for", "Likeness", "Viewer")
USED, USED_THEN_MEASURED, MEASURED = "the scene", "the scene, then measuring", "measuring only"
REFINED, UNUSED = "refining the scene", "nothing"
PLACED, NOT_PLACED = "yes", "no"
LOOK_FROM = "Look from here"
QUALITY_TAB = "Quality"
TIMES = ("Step", "Time")
FILES = "Files"
FILE_COLUMNS = ("File", "What it is", "Size")
FILES_ALL = "All files as one zip"
FILES_HELP = {
    "gaussians.ply": "the scene, for splat viewers and editors",
    "gaussians.splat": "the scene, for web viewers",
    "gaussians.spz": "the scene, compressed",
    "gaussians.glb": "the scene as glTF",
    "points.ply": "points with colours",
    "mesh.glb": "surface with colours, for modelling programs",
    "turntable.mp4": "a flight through the cameras",
    "transforms.json": "camera positions, for nerfstudio and the like",
    "scene.json": "cameras, what was measured, and how to make it again",
}
COMMAND = "The same as a command"
COPY, COPIED = "Copy", "Copied"
REFILTER = "Leave out what the scene is not sure of"
REFILTER_LABEL = "Least confidence"
REFILTER_HELP = "Gaussians that are fainter than this go; nothing is computed again. 0 keeps all of them."
REFILTER_FILES, REFILTER_FILES_HELP = "Files", "gaussians.ply is always written."
REFILTER_RUN = "Write the files again"
REFILTERED = "{kept} of {total} Gaussians kept."

DEPTH_OF, CONFIDENCE_OF = "Depth of {name}", "Confidence of {name}"
RENDERED, PHOTOGRAPH = "The scene rendered from the place of the photograph", "The photograph"
QUALITY_HELP = (
    "Likeness is the peak signal-to-noise ratio between a photograph and the scene rendered from its place: below "
    "20 dB only the large shapes agree, above 30 dB differences are hard to see. Only photographs that the program "
    "was not shown tell how new views look; where none was held back, expect less than these figures say."
)
FIGURE_PLACED = "photographs whose place was found"
FIGURE_HELD_BACK = "likeness of photographs held back, which the program did not fit"
FIGURE_SEEN = "likeness of the photographs that it was made from"
FIGURE_REFINED = "gained by refinement, on what was held back"
FIGURE_REPROJECTION = "mean error of the camera positions"
FIGURE_GAUSSIANS = "Gaussians, the small soft balls that the scene is made of"
FIGURE_TIME = "from start to files"
FIGURE_MEMORY = "most memory in use"
IN_ZIP = "{num} files, in the zip"
