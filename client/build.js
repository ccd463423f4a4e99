/**
 * Builds the static files that the package ships, or with --check says whether the committed ones
 * are fresh and small enough. One file each: hashed static storage does not rewrite ES imports.
 */

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { minify } from "terser";

const HERE = new URL("./", import.meta.url);
const STATIC = new URL("../src/livecounters/static/livecounters/", HERE);
const BUNDLES = [
  { entry: "src/index.js", file: "livecounters.js", limit: 8_000 },
  { entry: "src/progress/index.js", file: "progress.js", limit: 2_500 },
  { entry: "src/charts/index.js", file: "charts.js", limit: 1_500 },
  { entry: "src/record/index.js", file: "record.js", limit: 1_000 },
  { entry: "css/index.css", file: "livecounters.css", limit: 4_000 },
  ...["board", "paper", "vivid"].map((name) => ({
    entry: `css/themes/${name}.css`,
    file: `themes/${name}.css`,
    limit: 1_000,
  })),
  { entry: "css/embed.css", file: "embed.css", limit: 100 },
];

/** Names that only livecounters.js uses, for what neither the browser nor the server names so. */
const INTERNAL =
  /^(openSocket|requestFrame|reducedMotion|attended|received|polled|requests|hurry|subscribers|tokens|works|wake|since)$/;

const checking = process.argv.includes("--check");
for (const bundle of BUNDLES) {
  const text = await bundled(bundle.entry);
  const target = fileURLToPath(new URL(bundle.file, STATIC));
  if (checking) check(bundle, text, target);
  else write(text, target);
  console.log(`${bundle.file}: ${text.length} bytes, ${gzipped(text)} gzipped`);
}

/** @param {string} entry */
async function bundled(entry) {
  const result = await build({
    entryPoints: [fileURLToPath(new URL(entry, HERE))],
    absWorkingDir: fileURLToPath(HERE),
    bundle: true,
    minify: true,
    format: "esm",
    target: ["es2022", "chrome111", "firefox116", "safari16.4"],
    charset: "utf8",
    legalComments: "none",
    write: false,
  });
  const { text } = result.outputFiles[0];
  return entry.endsWith(".js") ? smaller(text) : text;
}

/**
 * What esbuild leaves, by three in a hundred.
 * @param {string} text
 */
async function smaller(text) {
  const { code } = await minify(text, {
    module: true,
    ecma: 2020,
    compress: { passes: 4, pure_getters: true },
    mangle: { properties: { regex: INTERNAL } },
  });
  return code ?? "";
}

/**
 * @param {string} text
 * @param {string} target
 */
function write(text, target) {
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, text);
}

/**
 * @param {{file: string, limit: number}} bundle
 * @param {string} text
 * @param {string} target
 */
function check({ file, limit }, text, target) {
  if (committed(target) !== text) fail(`${file} is not what its sources give. Run: npm run build`);
  if (gzipped(text) > limit) fail(`${file} has ${gzipped(text)} bytes gzipped; ${limit} are allowed.`);
}

/** @param {string} target */
function committed(target) {
  try {
    return readFileSync(target, "utf8");
  } catch {
    return null;
  }
}

/** @param {string} text */
function gzipped(text) {
  return gzipSync(text, { level: 9 }).length;
}

/** @param {string} reason */
function fail(reason) {
  console.error(reason);
  process.exitCode = 1;
}
