/**
 * Copies the libraries of the page, and those of the interface's documentation at /docs, from node_modules to vendor/, as files that a browser can load as they are.
 *
 * Run by `npm run vendor` after `npm ci`. A browser cannot resolve the bare name "preact" that its own hooks import, and
 * an import map would have to stand inline, which our content security policy forbids; so that one name is pointed at the
 * file beside it. htm/preact/standalone would spare this step, but it has an old Preact 10 baked in that no lock shows.
 */
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";

const root = new URL("./", import.meta.url);
const modules = new URL("node_modules/", root);
const vendor = new URL("vendor/", root);

/** Browser file ← file inside its package. */
const files = [
  { to: "preact.js", package: "preact", from: "dist/preact.mjs" },
  { to: "preact-hooks.js", package: "preact", from: "hooks/dist/hooks.mjs" },
  { to: "htm.js", package: "htm", from: "dist/htm.mjs" },
];
/** Files that are no modules and are copied as they are: what /docs shows, without asking any other machine for it. */
const assets = [
  { to: "swagger-ui.js", package: "swagger-ui-dist", from: "swagger-ui-bundle.js" },
  { to: "swagger-ui.css", package: "swagger-ui-dist", from: "swagger-ui.css" },
];
const beside = { preact: "./preact.js" };

const bareImport = /\b(from|import)(\s*)"([^"./][^"]*)"/g;

await rm(vendor, { recursive: true, force: true });
await mkdir(vendor);

const licences = new Map();
for (const file of [...files, ...assets]) {
  const home = new URL(`${file.package}/`, modules);
  const about = JSON.parse(await readFile(new URL("package.json", home), "utf8").catch(() => {
    throw new Error(`${file.package} is not in node_modules: run "npm ci" in services/web first`);
  }));
  const text = await readFile(new URL(file.from, home), "utf8");
  const code = (files.includes(file) ? browserModule(text, file) : text)
    .replace(/\n?\/\/# sourceMappingURL=.*\s*$/, "\n"); // the maps are not copied
  await writeFile(new URL(file.to, vendor), `/*! ${about.name} ${about.version} | ${about.license} | see LICENSES.txt */\n${code}`);
  licences.set(`${about.name} ${about.version} (${about.license})`, await readFile(new URL("LICENSE", home), "utf8"));
}
await writeFile(
  new URL("LICENSES.txt", vendor),
  [...licences].map(([name, text]) => `${name}\n\n${text.trim()}\n`).join("\n----\n\n"),
);
console.log(`vendor/: ${[...files, ...assets].map((file) => file.to).join(", ")}`);

/** The module's text with its bare imports pointed at the files beside it. */
function browserModule(text, file) {
  return text.replace(bareImport, (_, keyword, space, name) => {
    if (!beside[name]) throw new Error(`${file.from} of ${file.package} imports "${name}", which vendor.js does not copy`);
    return `${keyword}${space}"${beside[name]}"`;
  });
}
