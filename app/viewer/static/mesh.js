// Reads the surface of a scene: binary glTF 2.0 with one triangle list, as this program writes it, in world axes. The
// turn that its node carries is for programs with +Y up; here cameras and `up` are those of the world.
import * as THREE from "three";

const MAGIC = 0x46546c67; // "glTF"
const TRIANGLES = 4;
const TABLES = { 5123: Uint16Array, 5125: Uint32Array, 5126: Float32Array };
const WIDTHS = { SCALAR: 1, VEC2: 2, VEC3: 3, VEC4: 4 };

// One-sided, so that a room opens towards who looks in; the light of the photographs is in the colours already.
export function readSurface(bytes) {
  const { document, start } = chunksOf(bytes);
  const primitive = document.meshes[0].primitives[0];
  if (primitive.mode !== TRIANGLES) throw new Error("the surface is not made of triangles");
  const geometry = new THREE.BufferGeometry();
  const table = (index) => attributeOf(document, index, bytes, start);
  geometry.setAttribute("position", table(primitive.attributes.POSITION));
  const colored = primitive.attributes.COLOR_0 !== undefined;
  if (colored) geometry.setAttribute("color", table(primitive.attributes.COLOR_0));
  geometry.setIndex(table(primitive.indices));
  return new THREE.Mesh(geometry, new THREE.MeshBasicMaterial({ vertexColors: colored }));
}

export const facesOf = (surface) => surface.geometry.index.count / 3;

function chunksOf(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 20 || view.getUint32(0, true) !== MAGIC || view.getUint32(4, true) !== 2) {
    throw new Error("the surface is not binary glTF 2");
  }
  const end = 20 + view.getUint32(12, true);
  return { document: JSON.parse(new TextDecoder().decode(bytes.subarray(20, end))), start: end + 8 };
}

function attributeOf(document, index, bytes, start) {
  const { bufferView, componentType, count, type, normalized = false } = document.accessors[index];
  const at = bytes.byteOffset + start + (document.bufferViews[bufferView].byteOffset ?? 0);
  const values = new TABLES[componentType](bytes.buffer, at, count * WIDTHS[type]); // throws where the file is too short
  return new THREE.BufferAttribute(values, WIDTHS[type], normalized);
}
