// Prints the tables of the only primitive of a .glb as glTF-Transform reads them, and what the Khronos validator finds.
const { readFileSync } = require("node:fs");
const { createRequire } = require("node:module");
const [folder, path] = process.argv.slice(2);
const installed = createRequire(`${folder}/package.json`);
const { NodeIO } = installed("@gltf-transform/core");
const validator = installed("gltf-validator");

async function main() {
  const bytes = new Uint8Array(readFileSync(path));
  const report = await validator.validateBytes(bytes, { maxIssues: 0 });
  const document = await new NodeIO().readBinary(bytes);
  const [primitive] = document.getRoot().listMeshes()[0].listPrimitives();
  const tables = {};
  for (const name of primitive.listSemantics()) {
    const accessor = primitive.getAttribute(name);
    const array = accessor.getArray();
    const data = Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString("base64");
    tables[name] = { width: accessor.getElementSize(), type: array.constructor.name, data };
  }
  process.stdout.write(JSON.stringify({ tables, messages: report.issues.messages }));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
