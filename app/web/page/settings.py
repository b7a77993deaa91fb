"""The options, folded away, and the job settings that they make."""

from dataclasses import dataclass

import gradio as gr
from gradio.components import Component

from app.web import texts
from app.web.jobs.settings import JobSettings

DEFAULTS = JobSettings()


@dataclass(frozen=True)
class SettingsForm:
    """The components, in the order of `settings_from`."""

    quality: gr.Radio
    mesh: gr.Checkbox
    exports: gr.CheckboxGroup
    poses: gr.Radio
    views: gr.Number
    fps: gr.Number
    seed: gr.Number

    @property
    def components(self) -> list[Component]:
        """As inputs of a handler."""
        return list(vars(self).values())


def build_settings() -> SettingsForm:
    """Lay out the options."""
    quality = gr.Radio(
        list(texts.QUALITIES), value=DEFAULTS.quality, label=texts.QUALITY, info=texts.QUALITY_CHOICE_HELP
    )
    with gr.Accordion(texts.OPTIONS, open=False, elem_id="options"):
        mesh = gr.Checkbox(DEFAULTS.mesh, label=texts.MESH, info=texts.MESH_HELP)
        chosen = [name for _, name in texts.EXPORT_NAMES if name in DEFAULTS.exports]
        exports = gr.CheckboxGroup(list(texts.EXPORT_NAMES), value=chosen, label=texts.EXPORTS, info=texts.EXPORTS_HELP)
        poses = gr.Radio(list(texts.POSE_SOURCES), value=DEFAULTS.poses, label=texts.POSES, info=texts.POSES_HELP)
        with gr.Row():
            views = gr.Number(0, label=texts.VIEWS, info=texts.VIEWS_HELP, precision=0, minimum=0, min_width=140)
            fps = gr.Number(0, label=texts.FPS, info=texts.FPS_HELP, minimum=0, maximum=60, min_width=140)
            seed = gr.Number(
                DEFAULTS.seed, label=texts.SEED, info=texts.SEED_HELP, precision=0, minimum=0, min_width=140
            )
    return SettingsForm(quality, mesh, exports, poses, views, fps, seed)


def settings_from(
    quality: str, mesh: bool, exports: list[str], poses: str, views: float, fps: float, seed: float
) -> JobSettings:
    """What the components say.

    Raises:
        InputError: A value without meaning.
    """
    return JobSettings.from_json(
        {
            "poses": poses,
            "quality": quality,
            "mesh": bool(mesh),
            "exports": list(exports or ()),
            "views": int(views) if views else None,
            "fps": float(fps) if fps else None,
            "seed": int(seed or 0),
        }
    )
