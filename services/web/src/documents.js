/** The library: what is in it, what is on its way in, who may read it, and taking something out. */
import { Icon } from "./icons.js";
import { Panel } from "./panel.js";
import { problemText, useSession } from "./session.js";
import { isActive } from "./uploads.js";
import { PasswordForm, Waiting } from "./waiting.js";
import { html, useEffect, useId, useRef, useState } from "./view.js";

/** @import {StoredDocument, Version} from "./api.js" */
/** @import {Upload, Uploads} from "./uploads.js" */

/** From this many documents on a filter is of use. */
const filterFrom = 8;
/** What the server reads; the file dialog offers these first, and the server judges by content. */
const readable = ".pdf,.docx,.pptx,.pptm,.xlsx,.xlsm,.html,.htm,.xhtml,.md,.markdown,.txt,.text,.log,.csv,.tsv,.eml,.png,.jpg,.jpeg,.tif,.tiff,.webp";

/**
 * @param {{documents: StoredDocument[]|null, uploads: Upload[], queue: Uploads, onChanged: () => void, onClose: () => void}} props
 */
export function DocumentsPanel({ documents, uploads, queue, onChanged, onClose }) {
  const { api, t, language, me } = useSession();
  // Everyone may add, to groups they hold; the server lets only administrators change or remove what is there.
  const mayManage = me.administrator;
  const [groups, setGroups] = useState(/** @type {string[]} */ ([]));
  const [filter, setFilter] = useState("");
  const [removing, setRemoving] = useState(/** @type {StoredDocument|null} */ (null));

  useEffect(() => { onChanged(); }, []); // someone else may have added or removed documents since
  useEffect(() => {
    api.groups().then(setGroups, () => {}); // without them uploads still go to everyone
  }, [api]);

  const wanted = filter.trim().toLowerCase();
  const sorted = [...(documents ?? [])].sort((a, b) => a.document.localeCompare(b.document, language));
  const shown = sorted.filter((item) => [item.document, ...item.groups].some((text) => text.toLowerCase().includes(wanted)));

  return html`<${Panel} title=${t.documents} onClose=${onClose}>
    <${AddFiles} groups=${groups} queue=${queue} />
    ${uploads.length > 0 && html`<${UploadList} uploads=${uploads} onClear=${() => queue.clear()} onPassword=${(/** @type {number} */ id, /** @type {string} */ password) => queue.unlock(id, password)} />`}
    <${Waiting} own=${new Set(uploads.map((upload) => upload.job?.job_id ?? ""))} stamp=${documents} onChanged=${onChanged} />
    <section class="library">
      <h3>${t.library}</h3>
      ${sorted.length >= filterFrom && html`<input type="search" aria-label=${t.filter} placeholder=${t.filter} value=${filter}
        onInput=${(/** @type {InputEvent} */ event) => setFilter(/** @type {HTMLInputElement} */ (event.target).value)} />`}
      ${documents === null && html`<p class="fine">${t.loading}</p>`}
      ${documents !== null && shown.length === 0 && html`<p class="fine">${wanted ? t.noMatch : t.emptyLibrary}</p>`}
      <ul class="documents">
        ${shown.map((item) => html`<${DocumentRow} key=${item.document_id} item=${item} groups=${groups} mayManage=${mayManage}
          onChanged=${onChanged} onRemove=${() => setRemoving(item)} />`)}
      </ul>
    </section>
    ${removing && html`<${RemoveDialog} item=${removing} onChanged=${onChanged} onClose=${() => setRemoving(null)} />`}
  <//>`;
}

/** @param {{groups: string[], queue: Uploads}} props */
function AddFiles({ groups, queue }) {
  const { t } = useSession();
  const [chosen, setChosen] = useState(/** @type {string[]} */ ([]));
  const [over, setOver] = useState(false);
  const input = useRef(/** @type {HTMLInputElement|null} */ (null));

  /** @param {FileList|null|undefined} files */
  const add = (files) => files?.length && queue.add([...files], chosen);
  return html`<section class="add">
    <div class=${over ? "drop over" : "drop"}
      onDragOver=${(/** @type {DragEvent} */ event) => { event.preventDefault(); event.stopPropagation(); setOver(true); }}
      onDragLeave=${() => setOver(false)}
      onDrop=${(/** @type {DragEvent} */ event) => {
        // Here the ticked groups apply; the page's own drop target must not add the files once more without them.
        event.preventDefault();
        event.stopPropagation();
        setOver(false);
        add(event.dataTransfer?.files);
      }}>
      <${Icon} name="upload" />
      <span>${t.drop}</span>
      <button type="button" class="quiet outlined" onClick=${() => input.current?.click()}>${t.chooseFiles}</button>
      <input ref=${input} type="file" multiple accept=${readable} hidden aria-label=${t.chooseFiles}
        onChange=${(/** @type {Event} */ event) => {
          const field = /** @type {HTMLInputElement} */ (event.target);
          add(field.files);
          field.value = ""; // or choosing the same file again would not count as a change
        }} />
    </div>
    ${groups.length > 1 && html`<fieldset class="groups">
      <legend>${t.whoMayRead}</legend>
      <${GroupBoxes} groups=${groups} chosen=${chosen} onChange=${setChosen} />
      <p class="fine">${t.whoMayReadHint}</p>
    </fieldset>`}
  </section>`;
}

/** @param {{groups: string[], chosen: string[], onChange: (chosen: string[]) => void}} props */
function GroupBoxes({ groups, chosen, onChange }) {
  return html`<div class="boxes">
    ${groups.map((group) => html`<label key=${group}>
      <input type="checkbox" checked=${chosen.includes(group)}
        onChange=${() => onChange(chosen.includes(group) ? chosen.filter((other) => other !== group) : [...chosen, group])} />
      <span>${group}</span>
    </label>`)}
  </div>`;
}

/** @param {{uploads: Upload[], onClear: () => void, onPassword: (id: number, password: string) => void}} props */
function UploadList({ uploads, onClear, onPassword }) {
  const { t } = useSession();
  return html`<section class="uploads">
    <h3>${t.uploads}${uploads.some((upload) => !isActive(upload))
      && html`<button type="button" class="quiet small" onClick=${onClear}>${t.clearUploads}</button>`}</h3>
    <ul>${uploads.map((upload) => html`<${UploadRow} key=${upload.id} upload=${upload} onPassword=${onPassword} />`)}</ul>
  </section>`;
}

/** @param {{upload: Upload, onPassword: (id: number, password: string) => void}} props */
function UploadRow({ upload, onPassword }) {
  const { t } = useSession();
  const { state, job, error } = upload;
  const stage = state === "running" && job?.stage;
  const words = stage ? t.stage[stage] : t.upload[state];
  const pages = stage === "read" && job?.pages_done !== undefined ? t.pagesDone(job.pages_done, job.pages_total) : "";
  const warnings = job?.warnings ?? [];
  return html`<li class=${`upload ${state}`}>
    <div class="upload-head"><span class="where">${upload.name}</span><span class="upload-state" role="status">${words}${pages && ` · ${pages}`}</span></div>
    ${isActive(upload) && html`<progress aria-label=${upload.name} ...${progressOf(upload)}></progress>`}
    ${error !== null && html`<p class="error">${problemText(error, t)}</p>`}
    ${state === "failed" && job?.code === "password_needed" && html`<${PasswordForm} document=${upload.name}
      onPassword=${(/** @type {string} */ password) => onPassword(upload.id, password)} />`}
    ${warnings.map((warning) => html`<p class="warning" key=${warning}>${t.told(warning)}</p>`)}
  </li>`;
}

/** Only reading has a known length; without a value the bar shows that something is happening. @param {Upload} upload */
function progressOf({ job }) {
  return job?.stage === "read" && job.pages_total ? { value: job.pages_done ?? 0, max: job.pages_total } : {};
}

/** @param {{item: StoredDocument, groups: string[], mayManage: boolean, onChanged: () => void, onRemove: () => void}} props */
function DocumentRow({ item, groups, mayManage, onChanged, onRemove }) {
  const { api, t, language, openReference } = useSession();
  const [draft, setDraft] = useState(/** @type {string[]|null} */ (null));
  const [problem, setProblem] = useState("");
  const save = async () => {
    try {
      await api.setGroups(item.document_id, draft ?? item.groups);
      setDraft(null);
      setProblem("");
      onChanged();
    } catch (error) {
      setProblem(problemText(error, t));
    }
  };
  const facts = [
    t.pages(item.pages),
    bytesText(item.bytes, language),
    item.version > 1 ? t.version(item.version) : "",
    t.addedOn(new Intl.DateTimeFormat(language, { dateStyle: "medium" }).format(new Date(item.added_at))),
  ];
  return html`<li>
    <div class="document">
      <button type="button" class="link where" aria-label=${t.viewDocument(item.document)}
        onClick=${() => openReference({ document: item.document, document_id: item.document_id, version: item.version, page: 1 })}>${item.document}</button>
      ${mayManage && html`<span class="actions">
        ${groups.length > 1 && html`<button type="button" class="quiet round" aria-label=${t.editGroupsOf(item.document)} title=${t.editGroups}
          aria-expanded=${draft !== null} onClick=${() => setDraft(draft ? null : item.groups)}><${Icon} name="groups" /></button>`}
        <button type="button" class="quiet round" aria-label=${t.removeDocument(item.document)} title=${t.remove} onClick=${onRemove}><${Icon} name="remove" /></button>
      </span>`}
    </div>
    <p class="fine">${facts.filter(Boolean).join(" · ")}</p>
    <p class="chips">${item.groups.map((group) => html`<span class="chip" key=${group}>${group}</span>`)}</p>
    ${item.version > 1 && html`<${OlderVersions} item=${item} />`}
    ${item.warnings.length > 0 && html`<details class="warnings">
      <summary><${Icon} name="warning" />${t.warnings(item.warnings.length)}</summary>
      <ul>${item.warnings.map((warning) => html`<li key=${warning}>${t.told(warning)}</li>`)}</ul>
    </details>`}
    ${draft && html`<form class="groups" onSubmit=${(/** @type {Event} */ event) => { event.preventDefault(); save(); }}>
      <${GroupBoxes} groups=${groups} chosen=${draft} onChange=${setDraft} />
      <button type="submit" class="primary" disabled=${draft.length === 0}>${t.save}</button>
      <button type="button" class="quiet" onClick=${() => setDraft(null)}>${t.cancel}</button>
    </form>`}
    ${problem && html`<p class="error" role="alert">${problem}</p>`}
  </li>`;
}

/** The versions that are no longer searched, asked for when somebody wants to see them. @param {{item: StoredDocument}} props */
function OlderVersions({ item }) {
  const { api, t, language, openReference } = useSession();
  const [versions, setVersions] = useState(/** @type {Version[]|null} */ (null));
  const [problem, setProblem] = useState("");
  const load = async () => {
    try {
      setVersions((await api.versions(item.document_id)).filter((one) => !one.live));
    } catch (error) {
      setProblem(problemText(error, t));
    }
  };
  return html`<details class="versions" onToggle=${(/** @type {Event} */ event) => /** @type {HTMLDetailsElement} */ (event.target).open && load()}>
    <summary>${t.olderVersions}</summary>
    ${problem && html`<p class="error" role="alert">${problem}</p>`}
    <ul>${(versions ?? []).map((one) => html`<li key=${one.version}>
      <button type="button" class="link" onClick=${() =>
        openReference({ document: item.document, document_id: item.document_id, version: one.version, page: 1 })}>${t.version(one.version)}</button>
      ${" "}<span class="fine">${t.pages(one.pages)} · ${t.addedOn(new Intl.DateTimeFormat(language, { dateStyle: "medium" }).format(new Date(one.added_at)))}</span>
    </li>`)}</ul>
  </details>`;
}

/** @param {{item: StoredDocument, onChanged: () => void, onClose: () => void}} props */
function RemoveDialog({ item, onChanged, onClose }) {
  const { api, t } = useSession();
  const dialog = useRef(/** @type {HTMLDialogElement|null} */ (null));
  const [problem, setProblem] = useState("");
  const id = useId();
  useEffect(() => dialog.current?.showModal(), []);
  const remove = async () => {
    try {
      await api.remove(item.document_id);
      dialog.current?.close();
      onChanged();
    } catch (error) {
      setProblem(problemText(error, t));
    }
  };
  return html`<dialog ref=${dialog} aria-labelledby=${id} onClose=${onClose}
    onKeyDown=${(/** @type {KeyboardEvent} */ event) => event.stopPropagation() /* Escape closes the dialog, not the panel behind it */}>
    <h2 id=${id}>${t.removeTitle}</h2>
    <p>${t.removeText(item.document)}</p>
    ${problem && html`<p class="error" role="alert">${problem}</p>`}
    <div class="dialog-row">
      <button type="button" class="quiet outlined" autofocus onClick=${() => dialog.current?.close()}>${t.cancel}</button>
      <button type="button" class="danger" onClick=${remove}>${t.remove}</button>
    </div>
  </dialog>`;
}

/** @param {number} bytes @param {string} language */
function bytesText(bytes, language) {
  const [unit, size] = bytes < 1e6 ? ["kilobyte", bytes / 1e3] : ["megabyte", bytes / 1e6];
  const format = new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: size < 10 ? 1 : 0 });
  return format.format(size);
}
