/**
 * Every word the page shows, in both languages. Functions where a number or name stands inside a sentence.
 * Answers are shown as they come; what the server says of files in English has its Chinese in `chinese.js`.
 */
import { inChinese } from "./chinese.js";

/** @typedef {"zh"|"en"} Language */
/** @typedef {typeof en} Strings */

/** @param {number} n @param {string} one @param {string} [many] */
const count = (n, one, many = `${one}s`) => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;

const en = {
  title: "Graft · Ask your documents",
  otherLanguage: "中文",
  switchLanguage: "页面改用中文",
  newChat: "New chat",
  documents: "Documents",
  forgetKey: "Forget key",
  close: "Close",
  cancel: "Cancel",
  retry: "Try again",
  unreachable: "The Graft server cannot be reached. Check that it is running, then try again.",
  connectionLost: "The connection was lost before the answer was complete.",
  /** What the server says of a file, in this language where there are words for it. @param {string} said */
  told: (said) => said,

  welcome: "Ask your documents",
  welcomeText: "Every sentence of an answer is checked against the documents. Open the number beside a sentence to see the passage on its page.",
  emptyLibrary: "There are no documents yet. Add some, then ask about them.",
  addDocuments: "Add documents",
  /** @param {number} documents @param {number} chunks */
  librarySize: (documents, chunks) => `${count(documents, "document")}, ${count(chunks, "passage")}`,
  /** @param {string} model */
  modelIs: (model) => `model ${model}`,

  engineStarting: "The language model is still starting. Until it is ready, answers quote the documents word for word.",
  engineFailed: "The language model could not start. Answers quote the documents word for word.",
  engineOff: "No language model is running. Answers quote the documents word for word.",

  question: "Your question",
  questionHint: "Ask about your documents…",
  send: "Send",
  stop: "Stop",
  sendHint: "Enter sends, Shift + Enter starts a new line",
  style: "Answer style",
  styleAuto: "Auto",
  styleAutoHint: "The model writes; where it cannot, the documents are quoted",
  styleGenerated: "Written",
  styleGeneratedHint: "The model writes every sentence; each is checked",
  styleQuotes: "Quotes",
  styleQuotesHint: "Only sentences of the documents, word for word",

  views: "Views",
  ask: "Ask",
  compare: "Compare",
  compareWelcome: "One question, four answers",
  compareText: "The model alone and with the documents, before and after training on them. Every sentence is checked against the same passages, so that the answers can be told apart.",
  compareHint: "Every arm writes its own answer",
  comparison: "Comparison",
  comparing: "Comparing…",
  compared: "The comparison is complete.",
  armTitles: { base: "Base model", rag: "Base + documents", tuned: "Tuned model", "tuned-rag": "Tuned + documents" },
  armHints: {
    base: "The model as it came, without any passage",
    rag: "The model as it came, reading the passages",
    tuned: "The model with the company's adapter, without any passage",
    "tuned-rag": "The model with the company's adapter, reading the passages",
  },
  notThere: "Not there",
  /** @param {string} seconds */
  seconds: (seconds) => `${seconds} s`,
  /** @param {number} read @param {number} written */
  tokens: (read, written) => `${read.toLocaleString("en")} tokens read, ${written.toLocaleString("en")} written`,

  conversation: "Conversation",
  you: "You asked",
  searching: "Searching the documents…",
  /** @param {number} passages @param {number} documents */
  reading: (passages, documents) => `Reading ${count(passages, "passage")} from ${count(documents, "document")}…`,
  writing: "Writing and checking…",
  answerReady: "The answer is complete.",
  stopped: "Stopped. Only sentences that were already checked are shown.",
  notSupported: "not supported by the documents",
  notJudged: "not checked",
  /** @type {Record<import("./api.js").Fault, string>} */
  faults: {
    contradicted: "the documents say otherwise",
    "not in evidence": "not supported by the documents",
    "off question": "does not answer the question",
    disputed: "the documents disagree",
    biased: "biased wording",
  },
  rewriting: "not supported: being written once more",
  /** @type {Record<"regenerated"|"quoted"|"removed", string>} */
  replaced: { regenerated: "Written anew", quoted: "Quoted in place of what the model wrote", removed: "Left out" },
  /** @param {number} n */
  leftOut: (n) => `${count(n, "sentence")} of the model left out`,
  /** @param {number} supported @param {number} all */
  supportedOf: (supported, all) =>
    supported === all ? (all === 1 ? "Supported by the documents" : "All sentences supported by the documents") : `${supported} of ${count(all, "sentence")} supported by the documents`,
  /** @param {string} reason */
  cannotAnswer: (reason) => `I cannot answer this from the documents: ${reason}.`,
  quotedAnswer: "Quoted word for word from the documents",
  original: { en: "in English", zh: "in Chinese" },
  /** @param {number} n */
  page: (n) => `page ${n}`,
  /** @param {number} n @param {number} all */
  pageOf: (n, all) => `Page ${n} of ${all}`,
  /** @param {number} marker @param {string} document @param {number} page */
  openCitation: (marker, document, page) => `Source ${marker}: ${document}, page ${page}`,
  /** @param {{document: string, page: number}[]} places */
  alsoIn: (places) => `Also in ${places.map((place) => `${place.document}, page ${place.page}`).join("; ")}`,
  suspicious: "Speaks to a model, not to a reader: what it orders was left out",
  nearest: "Nearest passages",
  noNearest: "No passage came near the question.",
  /** @param {number} n */
  passagesRead: (n) => `${count(n, "passage")} read for this answer`,
  copy: "Copy",
  copied: "Copied",

  source: "Source",
  passage: "Passage on the page",
  /** @param {number} percent */
  support: (percent) => `${percent} % support`,
  supportHint: "How well the documents bear out the sentence that cites this passage",
  previousPage: "Previous page",
  nextPage: "Next page",
  zoomIn: "Enlarge",
  zoomOut: "Fit to width",
  backToPassage: "Back to the passage",
  openOriginal: "Open the original",
  /** @param {number} n @param {string} document */
  pageImage: (n, document) => `Page ${n} of ${document}`,
  /** @param {number} n @param {string} document */
  pageImageBoxed: (n, document) => `Page ${n} of ${document}, with the passage boxed`,
  /** @param {number} n @param {string} document */
  pageText: (n, document) => `Text of page ${n} of ${document}`,
  pageLoading: "Loading the page…",
  /** @param {number} n */
  hiddenText: (n) => `Left out here: ${count(n, "character")} that the file carries and no reader sees`,

  drop: "Drop documents here or",
  chooseFiles: "Choose files",
  dropAnywhere: "Drop to add these files",
  whoMayRead: "Who may read them",
  whoMayReadHint: "Members of any ticked group. Without a tick: everyone.",
  uploads: "Being added",
  clearUploads: "Clear finished",
  upload: {
    waiting: "Waiting",
    sending: "Sending",
    running: "Waiting for its turn",
    added: "Added",
    unchanged: "Already there, nothing changed",
    failed: "Not added",
  },
  stage: {
    read: "Reading pages",
    split: "Splitting into passages",
    embed: "Computing vectors",
    index: "Indexing",
    publish: "Publishing",
  },
  needsAttention: "Under way or not added",
  /** By the kind of the reason. @type {Record<string, string>} */
  refusal: {
    unknown_type: "Type not read",
    broken_file: "Broken file",
    password_needed: "Needs a password",
    limit_passed: "Past a limit",
    quarantined: "Quarantined",
    stopped: "Stopped",
  },
  dismiss: "Dismiss",
  /** @param {string} document */
  dismissOf: (document) => `Dismiss ${document}`,
  /** @param {string} document */
  retryOf: (document) => `Try ${document} again`,
  /** @param {string} document */
  stopOf: (document) => `Stop adding ${document}`,
  password: "Password",
  /** @param {string} document */
  passwordOf: (document) => `Password of ${document}`,
  open: "Open",
  olderVersions: "Older versions",
  /** @param {number} done @param {number|null|undefined} all */
  pagesDone: (done, all) => (all ? `${done} of ${count(all, "page")}` : count(done, "page")),
  library: "Library",
  filter: "Filter by name or group",
  noMatch: "No document matches.",
  loading: "Loading…",
  /** @param {number} n */
  pages: (n) => count(n, "page"),
  /** @param {number} n */
  version: (n) => `version ${n}`,
  /** @param {string} date */
  addedOn: (date) => `added ${date}`,
  /** @param {number} n */
  warnings: (n) => count(n, "warning"),
  /** @param {string} document */
  viewDocument: (document) => `View ${document}`,
  editGroups: "Change groups",
  /** @param {string} document */
  editGroupsOf: (document) => `Who may read ${document}`,
  save: "Save",
  remove: "Remove",
  /** @param {string} document */
  removeDocument: (document) => `Remove ${document}`,
  removeTitle: "Remove this document?",
  /** @param {string} document */
  removeText: (document) => `“${document}” and everything made from it is deleted: its text, its passages and its place in the search. This cannot be undone.`,

  keyTitle: "An access key is needed",
  keyText: "This server answers only with a key. It stays in this browser tab and is forgotten when you close it.",
  key: "Access key",
  keyEnter: "Continue",
  keyWrong: "The server did not accept this key.",
};

/** @type {Strings} */
const zh = {
  title: "Graft · 向文档提问",
  otherLanguage: "English",
  switchLanguage: "Show this page in English",
  newChat: "新对话",
  documents: "文档",
  forgetKey: "清除密钥",
  close: "关闭",
  cancel: "取消",
  retry: "重试",
  unreachable: "无法连接 Graft 服务器。请确认它正在运行，然后重试。",
  connectionLost: "回答尚未完成，连接已中断。",
  told: inChinese,

  welcome: "向文档提问",
  welcomeText: "回答中的每句话都与文档核对。点开句中的编号，即可看到原文所在的页面。",
  emptyLibrary: "还没有文档。请先添加文档，再提问。",
  addDocuments: "添加文档",
  librarySize: (documents, chunks) => `${documents.toLocaleString("zh")} 份文档，${chunks.toLocaleString("zh")} 个段落`,
  modelIs: (model) => `模型 ${model}`,

  engineStarting: "语言模型正在启动。就绪之前，回答逐字引用文档原文。",
  engineFailed: "语言模型未能启动。回答逐字引用文档原文。",
  engineOff: "语言模型没有运行。回答逐字引用文档原文。",

  question: "您的问题",
  questionHint: "就您的文档提问……",
  send: "发送",
  stop: "停止",
  sendHint: "Enter 发送，Shift + Enter 换行",
  style: "回答方式",
  styleAuto: "自动",
  styleAutoHint: "由模型撰写；模型做不到时引用原文",
  styleGenerated: "撰写",
  styleGeneratedHint: "每句话都由模型撰写，并逐句核对",
  styleQuotes: "引用",
  styleQuotesHint: "只逐字引用文档中的句子",

  views: "视图",
  ask: "提问",
  compare: "对比",
  compareWelcome: "一个问题，四种回答",
  compareText: "同一模型在训练前后、有无文档时的回答。每句话都与相同的段落核对，便于比较。",
  compareHint: "每种方式都由模型自己撰写",
  comparison: "对比结果",
  comparing: "正在对比……",
  compared: "对比完毕。",
  armTitles: { base: "基础模型", rag: "基础模型 + 文档", tuned: "微调模型", "tuned-rag": "微调模型 + 文档" },
  armHints: {
    base: "原始模型，不查阅任何段落",
    rag: "原始模型，查阅相关段落",
    tuned: "加载企业适配器的模型，不查阅任何段落",
    "tuned-rag": "加载企业适配器的模型，查阅相关段落",
  },
  notThere: "不可用",
  seconds: (seconds) => `${seconds} 秒`,
  tokens: (read, written) => `读入 ${read.toLocaleString("zh")} 词元，写出 ${written.toLocaleString("zh")} 词元`,

  conversation: "对话",
  you: "您的提问",
  searching: "正在检索文档……",
  reading: (passages, documents) => `正在阅读 ${documents} 份文档中的 ${passages} 个段落……`,
  writing: "正在撰写并核对……",
  answerReady: "回答完毕。",
  stopped: "已停止。仅显示已核对的句子。",
  notSupported: "文档未证实",
  notJudged: "未核查",
  faults: {
    contradicted: "与文档不符",
    "not in evidence": "文档未证实",
    "off question": "答非所问",
    disputed: "文档之间说法不一",
    biased: "措辞带有偏见",
  },
  rewriting: "文档未证实，正在重写",
  replaced: { regenerated: "已重写", quoted: "以原文代替模型所写", removed: "已略去" },
  leftOut: (n) => `略去模型所写的 ${n} 句`,
  supportedOf: (supported, all) =>
    supported === all ? (all === 1 ? "有文档依据" : "所有句子均有文档依据") : `${all} 句中有 ${supported} 句有文档依据`,
  cannotAnswer: (reason) => `根据现有文档无法回答：${reason}。`,
  quotedAnswer: "逐字引自文档",
  original: { en: "英文原文", zh: "中文原文" },
  page: (n) => `第 ${n} 页`,
  pageOf: (n, all) => `第 ${n} 页，共 ${all} 页`,
  openCitation: (marker, document, page) => `来源 ${marker}：${document}，第 ${page} 页`,
  alsoIn: (places) => `另见：${places.map((place) => `${place.document} 第 ${place.page} 页`).join("；")}`,
  suspicious: "此段落含有写给模型的指令，已忽略",
  nearest: "最接近的段落",
  noNearest: "没有与问题接近的段落。",
  passagesRead: (n) => `本回答参阅了 ${n} 个段落`,
  copy: "复制",
  copied: "已复制",

  source: "来源",
  passage: "页面中的段落",
  support: (percent) => `依据度 ${percent}%`,
  supportHint: "文档对引用此段落的句子的支持程度",
  previousPage: "上一页",
  nextPage: "下一页",
  zoomIn: "放大",
  zoomOut: "适合宽度",
  backToPassage: "回到引用处",
  openOriginal: "打开原始文件",
  pageImage: (n, document) => `${document} 第 ${n} 页`,
  pageImageBoxed: (n, document) => `${document} 第 ${n} 页，引用段落已框出`,
  pageText: (n, document) => `${document} 第 ${n} 页的文字`,
  pageLoading: "正在载入页面……",
  hiddenText: (n) => `此页另有 ${n.toLocaleString("zh")} 个读者看不见的字符，已略去`,

  drop: "将文档拖到这里，或",
  chooseFiles: "选择文件",
  dropAnywhere: "松开即可添加这些文件",
  whoMayRead: "谁可以阅读",
  whoMayReadHint: "所选任一组的成员；不选则所有人可读。",
  uploads: "正在添加",
  clearUploads: "清除已结束项",
  upload: {
    waiting: "等待中",
    sending: "正在上传",
    running: "排队中",
    added: "已添加",
    unchanged: "已存在，没有变化",
    failed: "未添加",
  },
  stage: {
    read: "读取页面",
    split: "切分段落",
    embed: "计算向量",
    index: "建立索引",
    publish: "发布",
  },
  needsAttention: "进行中或未添加",
  refusal: {
    unknown_type: "不支持的类型",
    broken_file: "文件已损坏",
    password_needed: "需要密码",
    limit_passed: "超出限制",
    quarantined: "已隔离",
    stopped: "已停止",
  },
  dismiss: "忽略",
  dismissOf: (document) => `忽略${document}`,
  retryOf: (document) => `重试${document}`,
  stopOf: (document) => `停止添加${document}`,
  password: "密码",
  passwordOf: (document) => `${document}的密码`,
  open: "打开",
  olderVersions: "旧版本",
  pagesDone: (done, all) => (all ? `${done} / ${all} 页` : `${done} 页`),
  library: "文档库",
  filter: "按名称或组筛选",
  noMatch: "没有符合的文档。",
  loading: "正在载入……",
  pages: (n) => `${n} 页`,
  version: (n) => `第 ${n} 版`,
  addedOn: (date) => `${date}添加`,
  warnings: (n) => `${n} 条警告`,
  viewDocument: (document) => `查看${document}`,
  editGroups: "更改组",
  editGroupsOf: (document) => `谁可以阅读${document}`,
  save: "保存",
  remove: "移除",
  removeDocument: (document) => `移除${document}`,
  removeTitle: "移除此文档？",
  removeText: (document) => `“${document}”及由它生成的一切都会被删除：文本、段落以及检索记录。此操作无法撤销。`,

  keyTitle: "需要访问密钥",
  keyText: "此服务器需要密钥。密钥只保存在当前标签页中，关闭后即清除。",
  key: "访问密钥",
  keyEnter: "继续",
  keyWrong: "服务器不接受此密钥。",
};

/** @type {Record<Language, Strings>} */
export const strings = { zh, en };

/** The language to begin with: the reader's last choice, else the first of the browser's languages that we speak. @returns {Language} */
export function initialLanguage() {
  const wanted = [localStorage.getItem("graft.language") ?? "", ...navigator.languages];
  const spoken = wanted.map((tag) => tag.slice(0, 2).toLowerCase()).find((tag) => tag in strings);
  return /** @type {Language} */ (spoken ?? "en");
}
