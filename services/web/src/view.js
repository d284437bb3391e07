/** Preact, its hooks and htm under one roof: the only module that knows where the libraries lie. */
import { h } from "../vendor/preact.js";
import htm from "../vendor/htm.js";

export { createContext, render } from "../vendor/preact.js";
export { useCallback, useContext, useEffect, useId, useLayoutEffect, useMemo, useReducer, useRef, useState } from "../vendor/preact-hooks.js";

/** Tagged template → virtual nodes. Values become text or attributes, never markup, so data cannot turn into HTML. */
export const html = htm.bind(h);
