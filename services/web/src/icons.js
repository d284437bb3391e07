/** Line icons, 20 by 20, drawn with the text's colour. They are decoration: the control around them carries the name. */
import { html } from "./view.js";

const paths = {
  send: "M10 16V4m0 0L5 9m5-5 5 5",
  stop: "M6 6h8v8H6z",
  close: "M5 5l10 10M15 5L5 15",
  documents: "M6 2.5h5.5L15 6v11.5H6zM11.5 2.5V6H15",
  plus: "M10 4v12M4 10h12",
  previous: "M12 5l-5 5 5 5",
  next: "M8 5l5 5-5 5",
  zoomIn: "M9 9m-5.5 0a5.5 5.5 0 1 0 11 0a5.5 5.5 0 1 0 -11 0M13 13l4 4M9 6.5v5M6.5 9h5",
  zoomOut: "M9 9m-5.5 0a5.5 5.5 0 1 0 11 0a5.5 5.5 0 1 0 -11 0M13 13l4 4M6.5 9h5",
  open: "M8 4H4v12h12v-4M11.5 3.5h5v5M16 4l-7 7",
  copy: "M7 7h9.5v9.5H7zM13 7V3.5H3.5V13H7",
  check: "M4 10.5l4 4 8-9",
  upload: "M10 13V3.5m0 0L6 7.5m4-4 4 4M3.5 13v3.5h13V13",
  groups: "M7.5 9a2.75 2.75 0 1 0 0-5.5a2.75 2.75 0 0 0 0 5.5zM2.5 16c.3-3 2.2-4.5 5-4.5s4.7 1.5 5 4.5M13 4a2.5 2.5 0 0 1 0 5M15 12c1.5.6 2.3 2 2.5 4",
  remove: "M4 5.5h12M8 5.5V3.5h4v2M5.5 5.5l.7 11h7.6l.7-11M8.5 8.5v5M11.5 8.5v5",
  chat: "M4 3.5h12a1 1 0 0 1 1 1v8a1 1 0 0 1-1 1H9l-4 3.5v-3.5H4a1 1 0 0 1-1-1v-8a1 1 0 0 1 1-1z",
  compare: "M3 4h5.5v12H3zM11.5 4H17v12h-5.5z",
  warning: "M10 3.5L17.5 16.5h-15zM10 8.5v3.5M10 14.3v.1",
};

const solid = new Set(["stop"]);

/** @param {{name: keyof typeof paths}} props */
export function Icon({ name }) {
  return html`<svg class=${solid.has(name) ? "icon solid" : "icon"} viewBox="0 0 20 20" aria-hidden="true" focusable="false"><path d=${paths[name]} /></svg>`;
}

/** The mark: a scion joining its stock. */
export function Mark() {
  return html`<svg class="mark" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
    <path d="M12 22V11" /><path d="M12 14c0-5 3-8 8-9 0 5-3 8-8 9z" class="leaf" /><path d="M12 11C12 7 9.5 4.5 5 4c0 4 2.5 6.5 7 7z" />
  </svg>`;
}
