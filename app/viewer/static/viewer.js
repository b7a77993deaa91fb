// Shows one scene: Gaussians by Spark on three.js (WebGL 2), or its surface, and cameras as frusta. World axes are those of the files;
// cameras come with OpenCV axes (x right, y down, z forward), three.js looks along -z with y up.
import * as THREE from "three";
import { OrbitControls } from "three/addons/controls/OrbitControls.js";
import { SparkRenderer, SplatMesh } from "@sparkjsdev/spark";
import { facesOf, readSurface } from "./mesh.js";

const BLUR_PX2 = 0.3; // added to the projected covariance, as the files expect
const CUTOFF_DEVIATIONS = 3.33; // where an opaque Gaussian falls below 1/255
const FLIGHT_MS = 450;
const AWAKE_MS = 400;
const element = (id) => document.getElementById(id);

function fail(message) {
  element("loading").className = "failed";
  element("message").textContent = message;
}

async function start() {
  if (wanted().includes("plain")) element("help").removeAttribute("open");
  const scene = await (await fetch("scene.json")).json();
  document.title = `${scene.name} - recon view`;
  element("name").textContent = scene.name;
  if (!scene.surface) tellFacts(scene, `${scene.num_gaussians.toLocaleString("en")} Gaussians`);
  const stage = makeStage(scene);
  if (!stage) return;
  showPhotographs(stage);
  followAddress(stage);
  await (scene.surface ? loadSurface(stage) : loadSplats(stage));
  element("loading").className = "gone";
  document.body.dataset.ready = "yes"; // for tests
}

function tellFacts(scene, counted) {
  element("facts").textContent = scene.has_photographs ? `${counted}, ${scene.cameras.length} photographs` : counted;
}

function makeStage(scene) {
  const canvas = element("canvas");
  let renderer;
  try {
    renderer = new THREE.WebGLRenderer({ canvas, antialias: false });
  } catch {
    fail("This browser has no WebGL 2, which the viewer needs.");
    return null;
  }
  const depth = scene.cameras[0].depth;
  const camera = new THREE.PerspectiveCamera(50, 1, depth * 0.003, depth * 1000);
  camera.up.fromArray(scene.up);
  const world = new THREE.Scene();
  world.background = new THREE.Color(0x101214);
  const controls = new OrbitControls(camera, canvas);
  controls.enableDamping = true;
  controls.dampingFactor = 0.12;
  controls.zoomToCursor = true;
  const spark = new SparkRenderer({ renderer, preBlurAmount: BLUR_PX2, blurAmount: 0, maxStdDev: CUTOFF_DEVIATIONS });
  spark.maxPixelRadius = 2048;
  world.add(spark);
  const frusta = makeFrusta(scene.cameras, scene.has_photographs);
  world.add(frusta);
  const stage = { scene, renderer, camera, world, controls, spark, frusta, view: 0, flight: null, keys: new Set(), depth };
  new ResizeObserver(() => resize(stage)).observe(canvas);
  bindKeys(stage);
  bindPointer(stage);
  goTo(stage, 0, false);
  let last = performance.now();
  renderer.setAnimationLoop((now) => {
    step(stage, now - last);
    last = now;
  });
  return stage;
}

async function fetchFile(name) {
  const response = await fetch(name);
  if (!response.ok) throw new Error(`the scene cannot be fetched (${response.status})`);
  const total = Number(response.headers.get("Content-Length")); // 0 behind a proxy that does not say
  const parts = [];
  const reader = response.body.getReader();
  for (let at = 0; ;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    at += value.length;
    const of = total >= at ? ` of ${(total / 1e6).toFixed(0)}` : "";
    element("done").style.width = total >= at ? `${(90 * at) / total}%` : "45%";
    element("message").textContent = `loading ${(at / 1e6).toFixed(0)}${of} MB`;
  }
  element("message").textContent = "preparing";
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

async function loadSplats(stage) {
  const splats = new SplatMesh({ fileBytes: await fetchFile("gaussians.ply"), fileName: "gaussians.ply" });
  stage.world.add(splats);
  stage.shown = splats;
  await splats.initialized;
}

async function loadSurface(stage) {
  stage.shown = readSurface(await fetchFile(stage.scene.surface));
  stage.world.add(stage.shown);
  tellFacts(stage.scene, `${facesOf(stage.shown).toLocaleString("en")} triangles`);
}

// Position, direction, pivot and field of view of a photograph's camera.
function poseOf(stage, index) {
  const { world_from_cam: m, focal, size, depth } = stage.scene.cameras[index];
  const position = new THREE.Vector3(m[0][3], m[1][3], m[2][3]);
  const forward = new THREE.Vector3(m[0][2], m[1][2], m[2][2]);
  const target = position.clone().addScaledVector(forward, depth);
  return { position, target, tangents: [size[0] / 2 / focal[0], size[1] / 2 / focal[1]] };
}

// Between showing the photograph whole and filling the window with it.
function fieldOfView(stage) {
  const [x, y] = stage.tangents;
  return (2 * Math.atan(Math.sqrt(y * (x / stage.camera.aspect))) * 180) / Math.PI;
}

function goTo(stage, index, smoothly = true) {
  const num = stage.scene.cameras.length;
  stage.view = (index + num) % num;
  const goal = poseOf(stage, stage.view);
  stage.tangents = goal.tangents;
  element("views").hidden = !stage.scene.has_photographs;
  element("view").textContent = `${stage.view + 1} / ${num}  ${stage.scene.cameras[stage.view].name}`;
  markPhotograph(stage.view);
  const from = { position: stage.camera.position.clone(), target: stage.controls.target.clone() };
  stage.flight = smoothly ? { from, goal, spent: 0 } : null;
  if (!smoothly) {
    stage.camera.position.copy(goal.position);
    stage.controls.target.copy(goal.target);
    stage.controls.update();
  }
  resize(stage);
}

function step(stage, milliseconds) {
  if (stage.flight) {
    const { from, goal } = stage.flight;
    stage.flight.spent += milliseconds;
    const t = Math.min(stage.flight.spent / FLIGHT_MS, 1);
    const eased = t * t * (3 - 2 * t);
    stage.camera.position.lerpVectors(from.position, goal.position, eased);
    stage.controls.target.lerpVectors(from.target, goal.target, eased);
    if (t === 1) stage.flight = null;
  }
  walk(stage, Math.min(milliseconds, 100));
  stage.controls.update();
  stage.spark.preBlurAmount = BLUR_PX2 * Math.max(1, magnification(stage)) ** 2;
  if (isAwake(stage)) stage.renderer.render(stage.world, stage.camera);
}

// A still picture is not drawn again, which spares machines without a graphics card. Spark is dirty when it has sorted
// the splats anew.
function isAwake(stage) {
  const { camera, renderer, frusta, shown } = stage;
  const { width, height } = renderer.domElement;
  const seen = [...camera.matrix.elements, camera.fov, width, height, frusta.visible, shown?.isInitialized ?? Boolean(shown)].join();
  const now = performance.now();
  if (seen !== stage.seen) stage.awakeUntil = now + AWAKE_MS;
  stage.seen = seen;
  return now < stage.awakeUntil || (!stage.scene.surface && stage.spark.dirty);
}

const WALK = { KeyW: [0, 0, 1], KeyS: [0, 0, -1], KeyA: [-1, 0, 0], KeyD: [1, 0, 0], KeyE: [0, 1, 0], KeyQ: [0, -1, 0] };

function walk(stage, milliseconds) {
  const forward = stage.camera.getWorldDirection(new THREE.Vector3());
  const right = new THREE.Vector3().crossVectors(forward, stage.camera.up).normalize();
  const move = new THREE.Vector3();
  for (const code of stage.keys) {
    const [x, y, z] = WALK[code];
    move.addScaledVector(right, x).addScaledVector(stage.camera.up, y).addScaledVector(forward, z);
  }
  if (!move.lengthSq()) return;
  stage.flight = null;
  move.setLength((stage.depth * 0.5 * milliseconds) / 1000);
  stage.camera.position.add(move);
  stage.controls.target.add(move);
}

function bindKeys(stage) {
  const actions = {
    ArrowLeft: () => goTo(stage, stage.view - 1),
    ArrowRight: () => goTo(stage, stage.view + 1),
    KeyR: () => goTo(stage, 0),
    KeyC: () => toggleFrusta(stage),
    KeyH: () => element("help").toggleAttribute("open"),
  };
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.code in WALK) stage.keys.add(event.code);
    else if (event.code in actions && !event.repeat) actions[event.code]();
    else return;
    event.preventDefault();
  });
  addEventListener("keyup", (event) => stage.keys.delete(event.code));
  addEventListener("blur", () => stage.keys.clear());
  element("previous").onclick = actions.ArrowLeft;
  element("next").onclick = actions.ArrowRight;
  element("frusta").onclick = actions.KeyC;
}

// The photographs along the bottom; each leads to the place where it was taken.
function showPhotographs(stage) {
  const strip = element("photographs");
  stage.scene.cameras.forEach((camera, index) => {
    if (!camera.picture) return;
    const button = document.createElement("button");
    const image = document.createElement("img");
    Object.assign(image, { src: camera.picture, alt: camera.name, loading: "lazy", draggable: false });
    Object.assign(button, { title: camera.name, onclick: () => goTo(stage, index) });
    button.dataset.view = index;
    button.append(image);
    strip.append(button);
  });
  strip.hidden = !strip.childElementCount;
  document.body.classList.toggle("with-photographs", !strip.hidden);
  markPhotograph(stage.view);
}

function markPhotograph(view) {
  for (const button of element("photographs").children) {
    const here = Number(button.dataset.view) === view;
    button.setAttribute("aria-pressed", String(here));
    if (here) button.parentElement.scrollTo({ left: button.offsetLeft - button.parentElement.clientWidth / 2 + 40 });
  }
}

// `#view=3` goes to the fourth photograph, `#cameras` shows where all were taken, `#plain` leaves the help folded.
const wanted = () => location.hash.slice(1).split("&");

function followAddress(stage) {
  const follow = (smoothly) => {
    const words = wanted();
    const view = words.map((word) => /^view=([0-9]{1,5})$/.exec(word)).find(Boolean);
    if (view && Number(view[1]) < stage.scene.cameras.length) goTo(stage, Number(view[1]), smoothly);
    if (words.includes("cameras") && !stage.frusta.visible) toggleFrusta(stage);
  };
  follow(false);
  addEventListener("hashchange", () => follow(true));
}

function bindPointer(stage) {
  const canvas = stage.renderer.domElement;
  canvas.addEventListener("pointerdown", () => (stage.flight = null));
  canvas.addEventListener("wheel", () => (stage.flight = null), { passive: true });
  canvas.addEventListener("dblclick", (event) => {
    if (!stage.shown) return;
    const box = canvas.getBoundingClientRect();
    const place = new THREE.Vector2(
      ((event.clientX - box.left) / box.width) * 2 - 1,
      1 - ((event.clientY - box.top) / box.height) * 2,
    );
    const ray = new THREE.Raycaster();
    ray.setFromCamera(place, stage.camera);
    const hit = ray.intersectObject(stage.shown)[0];
    if (!hit) return;
    const goal = { position: stage.camera.position.clone(), target: hit.point.clone() };
    stage.flight = { from: { ...goal, target: stage.controls.target.clone() }, goal, spent: 0 };
  });
}

function toggleFrusta(stage) {
  stage.frusta.visible = !stage.frusta.visible;
  element("frusta").setAttribute("aria-pressed", String(stage.frusta.visible));
}

function makeFrusta(cameras, shown) {
  const points = [];
  for (const { world_from_cam: m, focal, center, size, depth } of shown ? cameras : []) {
    const matrix = new THREE.Matrix4().set(...m.flat());
    const length = depth * 0.06;
    const corner = (u, v) =>
      new THREE.Vector3((u - center[0]) / focal[0], (v - center[1]) / focal[1], 1)
        .multiplyScalar(length)
        .applyMatrix4(matrix);
    const apex = new THREE.Vector3().applyMatrix4(matrix);
    const corners = [corner(0, 0), corner(size[0], 0), corner(size[0], size[1]), corner(0, size[1])];
    corners.forEach((c, i) => points.push(apex, c, c, corners[(i + 1) % 4]));
  }
  const geometry = new THREE.BufferGeometry().setFromPoints(points);
  const lines = new THREE.LineSegments(geometry, new THREE.LineBasicMaterial({ color: 0xffb300 }));
  lines.visible = false;
  lines.frustumCulled = false;
  return lines;
}

function resize(stage) {
  const { clientWidth: width, clientHeight: height } = stage.renderer.domElement;
  if (!width || !height) return;
  stage.renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
  stage.renderer.setSize(width, height, false);
  stage.camera.aspect = width / height;
  stage.camera.fov = fieldOfView(stage);
  stage.camera.updateProjectionMatrix();
}

// Screen pixels per pixel of the pictures that the Gaussians were made for, at the distance of the pivot. Their blur
// grows with it, or gaps would open between them.
function magnification(stage) {
  if (!stage.scene.has_photographs) return 1;
  const { focal, depth } = stage.scene.cameras[stage.view];
  const onScreen = stage.renderer.domElement.height / 2 / Math.tan((stage.camera.fov * Math.PI) / 360);
  const distance = stage.camera.position.distanceTo(stage.controls.target);
  return ((onScreen / focal[1]) * depth) / Math.max(distance, 1e-6 * depth);
}

start().catch((error) => fail(`The scene cannot be shown: ${error.message}`));
