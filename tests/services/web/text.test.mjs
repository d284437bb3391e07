/** Text helpers, and the words in both languages. */
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { test } from "node:test";
import { strings } from "../../../services/web/src/strings.js";
import { excerpt, keptTogether, languageOf, marked, spaceBetween, splitAtMarkers, unwrap } from "../../../services/web/src/text.js";

test("markers become numbers; cited ones that the text lacks come last; others stay text", () => {
  assert.deepEqual(splitAtMarkers("25 days [1] a year.", [1, 2]), ["25 days", 1, " a year.", 2]);
  assert.deepEqual(splitAtMarkers("第三条[1][2]。", [1, 2]), ["第三条", 1, 2, "。"]);
  assert.deepEqual(splitAtMarkers("see [9]", [1]), ["see", " [9]", 1]);
});

test("a marker keeps the character before it and the punctuation behind it", () => {
  assert.deepEqual(keptTogether(["25 days", 1, " a year.", 2]), ["25 day", ["s", 1], " a year", [".", 2]]);
  assert.deepEqual(keptTogether(["第三条", 1, 2, "。"]), ["第三", ["条", 1, 2, "。"]]);
  assert.deepEqual(keptTogether([1, "，", 2, "；𠮷", 3]), [[1, "，", 2, "；"], ["𠮷", 3]]);
  assert.deepEqual(keptTogether(["No marker."]), ["No marker."]);
});

test("line ends of the page become a space, or nothing between Chinese characters", () => {
  assert.equal(unwrap(" paid annual\n  leave "), "paid annual leave");
  assert.equal(unwrap("员工出差\n每日餐费\nPDF\n说明"), "员工出差每日餐费 PDF 说明");
});

test("the rows of a table are parted in a list of passages", () => {
  assert.equal(excerpt("Table 1\nCity | Limit\n--- | ---\nLyon | 120\nOslo | 150\nSee 4."), "Table 1 City | Limit; Lyon | 120; Oslo | 150 See 4.");
  assert.equal(excerpt("a --- b\nc"), "a --- b c");
});

test("a reason that says its mark stands alone", () => {
  assert.equal(marked("not checked", "not judged: the evidence is in another language"), "not judged: the evidence is in another language");
  assert.equal(marked("与文档不符", "依据为25"), "与文档不符 · 依据为25");
  assert.equal(marked("not checked", ""), "not checked");
});

test("Chinese sentences join without a space", () => {
  assert.equal(spaceBetween("一天。", "两天。"), "");
  assert.equal(spaceBetween("One.", "Two."), " ");
  assert.equal(languageOf("PDF 文件"), "zh");
});

test("both languages have the same words", () => {
  const shape = (value) => (typeof value === "object" ? Object.fromEntries(Object.keys(value).sort().map((key) => [key, shape(value[key])])) : typeof value);
  assert.deepEqual(shape(strings.zh), shape(strings.en));
});

test("every word is used", async () => {
  const source = new URL("../../../services/web/src/", import.meta.url);
  const files = (await readdir(source)).filter((file) => file !== "strings.js");
  const code = (await Promise.all(files.map((file) => readFile(new URL(file, source), "utf8")))).join("\n");
  assert.deepEqual(Object.keys(strings.en).filter((key) => !new RegExp(`\\.${key}\\b`).test(code)), []);
});
