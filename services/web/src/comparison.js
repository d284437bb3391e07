/**
 * What a comparison looks like after each of its events: pure functions, no page, no network.
 *
 * Each arm's column is a turn of its own, as the conversation's turns are, and grows by the same rules.
 */
import { applyEvent, failTurn, isOpen, startTurn, stopTurn } from "./conversation.js";

/** @import {Arm, Hit} from "./api.js" */
/** @import {Turn} from "./conversation.js" */

/**
 * @typedef {object} Comparison
 * @property {number} id
 * @property {string} question
 * @property {Hit[]} hits the passages that all arms share
 * @property {Record<Arm, Turn>} columns
 * @property {Arm[]} absent arms that are not there, which is no failure
 */

/** All arms, in the order of their columns. */
export const arms = /** @type {Arm[]} */ (["base", "rag", "tuned", "tuned-rag"]);

/** @param {number} id @param {string} question @returns {Comparison} */
export function startComparison(id, question) {
  const columns = Object.fromEntries(arms.map((arm) => [arm, startTurn(id, question, "generated")]));
  return { id, question, hits: [], columns: /** @type {Record<Arm, Turn>} */ (columns), absent: [] };
}

/** Whether an answer is still coming. @param {Comparison} comparison */
export const isComparing = (comparison) => arms.some((arm) => isOpen(comparison.columns[arm]));

/** The comparison after an event. @param {Comparison} comparison @param {{event: string, data: any}} event @returns {Comparison} */
export function applyCompared(comparison, event) {
  if (event.event === "sources") return { ...changed(comparison, (turn, arm) => withSources(turn, arm, event)), hits: event.data.hits };
  const arm = /** @type {Arm} */ (event.data.arm);
  if (!arms.includes(arm)) return comparison; // `end`, and what a newer server may add
  const absent = event.event === "error" && event.data.status === 404 ? [...comparison.absent, arm] : comparison.absent;
  return { ...comparison, absent, columns: { ...comparison.columns, [arm]: applyEvent(comparison.columns[arm], event) } };
}

/** The arms without documents are given no passage: they write at once. @param {Turn} turn @param {Arm} arm @param {{event: string, data: any}} event @returns {Turn} */
const withSources = (turn, arm, event) => (arm.endsWith("rag") ? applyEvent(turn, event) : { ...turn, phase: "writing" });

/** @param {Comparison} comparison */
export const stopComparison = (comparison) => changed(comparison, stopTurn);

/** Ends what is still open, and says why. @param {Comparison} comparison @param {string} problem */
export const failComparison = (comparison, problem) => changed(comparison, (turn) => failTurn(turn, problem));

/** @param {Comparison} comparison @param {(turn: Turn, arm: Arm) => Turn} change @returns {Comparison} */
function changed(comparison, change) {
  const columns = Object.fromEntries(arms.map((arm) => [arm, change(comparison.columns[arm], arm)]));
  return { ...comparison, columns: /** @type {Record<Arm, Turn>} */ (columns) };
}
