/** What every part of the page may ask for: the API, the words, the caller, and the side panel. */
import { createContext, useContext } from "./view.js";

/** @import {Api, Me} from "./api.js" */
/** @import {Language, Strings} from "./strings.js" */
/** @import {Reference} from "./citation.js" */

/**
 * @typedef {object} Session
 * @property {Api} api
 * @property {Strings} t
 * @property {Language} language
 * @property {Me} me
 * @property {(reference: Reference) => void} openReference shows a page in the side panel
 */

export const SessionContext = createContext(/** @type {Session} */ (/** @type {unknown} */ (null)));

/** @returns {Session} */
export const useSession = () => useContext(SessionContext);

/** What went wrong, in words for the reader. @param {unknown} error @param {Strings} t */
export function problemText(error, t) {
  const status = /** @type {{status?: number}} */ (error)?.status;
  if (status === 0) return t.unreachable; // no answer at all: the browser's own words say less
  return t.told(error instanceof Error ? error.message : String(error));
}
