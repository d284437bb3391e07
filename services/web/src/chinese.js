/**
 * What the server says in English of a file, the warnings of its reading and why it was refused, and of a key: in Chinese.
 *
 * The English is the server's, word for word, so that one search finds both ends. What is filled in there stands in braces
 * here, and is said in Chinese in its turn. What nobody put into Chinese stays as it came.
 */

/** @type {[english: string, chinese: string][]} The first that fits counts. */
const messages = [
  ["no text layer: page {pages}", "没有可读取的文字（页面只有图像）：第 {pages} 页"],
  ["no text: page {pages}", "没有文字：第 {pages} 页"],
  ["read from the picture with low confidence: page {pages}", "由图像识别的文字可信度较低：第 {pages} 页"],
  [
    "text that no reader sees was left out: page {pages} ({count}; to see it, select everything on the page in a PDF viewer and paste it into a text editor)",
    "已略去读者看不见的文字：第 {pages} 页（{count}；如需查看，请在 PDF 阅读器中全选该页，再粘贴到文本编辑器）",
  ],
  [
    "text that no reader sees was left out ({count}; to see it, mark everything in Word and clear its formatting)",
    "已略去读者看不见的文字（{count}；如需查看，请在 Word 中全选并清除格式）",
  ],
  ["{places} places could not be read as {encoding}: they show �", "有 {places} 处无法按 {encoding} 编码读取，显示为 �"],
  ["hidden sheets were not read: {names}", "未读取隐藏的工作表：{names}"],
  ["attachment {file} was not read: {reason}", "附件{file}未读取：{reason}"],
  ["attachment {file}: {blank} of its {all} pages have no text", "附件{file}：{all} 页中有 {blank} 页没有文字"],
  ["attachment {file}: {warning}", "附件{file}：{warning}"],

  ["the file is encrypted and needs a password: give it with --password, or in the password field", "文件已加密，请在密码框中输入密码"],
  ["the PDF is encrypted and needs a password: give it with --password, or in the password field", "此 PDF 已加密，请在密码框中输入密码"],
  [
    "the file is an encrypted Office file: give its password with --password, or in the password field",
    "此 Office 文件已加密，请在密码框中输入密码",
  ],
  ["the file is encrypted, and the password that was given does not open it: give the right one", "文件已加密，所给密码不正确，请重新输入"],
  [
    "the Office file is encrypted in a way that is not read ({error}): save it without a password",
    "不支持此 Office 文件的加密方式（{error}），请另存为无密码的文件",
  ],
  [
    "the file is an Office file in an encrypted zip archive: save it without a password and add it again",
    "此 Office 文件装在加密的 zip 压缩包中，请另存为无密码的文件后重新添加",
  ],

  ["the file is empty: 0 bytes", "文件是空的（0 字节）"],
  ["the file holds no text: there is nothing in it to search", "文件中没有文字，没有可供检索的内容"],
  ["the PDF has no pages", "此 PDF 没有页面"],
  ["the PDF is broken: its structure cannot be read. Export or print it again", "此 PDF 已损坏，无法读取其结构。请重新导出或打印为 PDF"],
  ["the file is broken: it is a zip archive that cannot be opened. Save or download it again", "文件已损坏：其 zip 压缩包无法打开。请重新保存或下载"],
  ["the file cannot be read ({error}). Save it again and add it", "文件无法读取（{error}）。请重新保存后再添加"],
  ["page {page} is broken and cannot be read ({error})", "第 {page} 页已损坏，无法读取（{error}）"],
  ["the {kind} is broken and cannot be read ({error}). Save or download it again", "{kind}已损坏，无法读取（{error}）。请重新保存或下载"],

  [
    "the file has {size} MiB; at most {limit} MiB are read (setting {setting})",
    "文件大小为 {size} MiB，最多读取 {limit} MiB（设置项 {setting}）",
  ],
  [
    "{document} has {size} MiB; at most {limit} MiB are read (setting {setting})",
    "{document} 大小为 {size} MiB，最多读取 {limit} MiB（设置项 {setting}）",
  ],
  [
    "the file would unpack to {size} MiB; at most {limit} MiB are read (setting {setting})",
    "文件解压后有 {size} MiB，最多读取 {limit} MiB（设置项 {setting}）",
  ],
  [
    "the PDF has {pages} pages; at most {limit} are read: split it, or raise the setting {setting}",
    "此 PDF 有 {pages} 页，最多读取 {limit} 页：请拆分文件，或调高设置项 {setting}",
  ],
  ["the file has more than {limit} pages: split it, or raise the setting {setting}", "文件超过 {limit} 页：请拆分文件，或调高设置项 {setting}"],
  [
    "the text of the file is longer than {limit} characters: split it, or raise the setting {setting}",
    "文件的文字超过 {limit} 个字符：请拆分文件，或调高设置项 {setting}",
  ],
  [
    "reading the file yields more than {limit} MiB: split it, or raise the setting {setting}",
    "读取文件所得超过 {limit} MiB：请拆分文件，或调高设置项 {setting}",
  ],
  [
    "the image has more than {limit} pixels, the most that are read: make it smaller, or raise the setting {setting}",
    "图片超过 {limit} 像素的上限：请缩小图片，或调高设置项 {setting}",
  ],
  [
    "the image has {width} × {height} pixels; at most {limit} are read: make it smaller, or raise the setting {setting}",
    "图片为 {width} × {height} 像素，最多读取 {limit} 像素：请缩小图片，或调高设置项 {setting}",
  ],
  ["the image has {frames} frames; at most {limit} are read (setting {setting})", "图片有 {frames} 帧，最多读取 {limit} 帧（设置项 {setting}）"],
  ["page {page} needs more than {limit} MiB of memory (setting {setting})", "读取第 {page} 页所需内存超过 {limit} MiB（设置项 {setting}）"],
  [
    "the {kind} needs more than {limit} MiB of memory to be read (setting {setting})",
    "{kind}所需内存超过 {limit} MiB，无法读取（设置项 {setting}）",
  ],
  ["it lies more than {depth} files deep: save it by itself and add it", "文件嵌套超过 {depth} 层：请单独保存后添加"],
  ["page {page} cannot be drawn: {reason}", "第 {page} 页无法显示：{reason}"],

  [
    "reading took longer than {time} and was stopped: the file is too complex or damaged (setting {setting})",
    "读取用时超过上限（{time}），已停止：文件过于复杂或已损坏（设置项 {setting}）",
  ],
  [
    "the reader died on this file: it is damaged or needs more than {limit} MiB of memory",
    "读取程序在处理此文件时崩溃：文件已损坏，或所需内存超过 {limit} MiB",
  ],
  [
    "the process that worked on this file ended {times} times before it was done: it may be the file's fault, so it is not tried again by itself",
    "处理此文件的进程已中断 {times} 次，可能由文件引起，因此不再自动重试",
  ],
  ["stopped on request; `graft jobs retry` begins it again", "已按要求停止，可以重试"],

  ["an API key is needed: send it as a bearer token", "服务器要求提供 API 密钥"],
  ["the API key is unknown or revoked: ask your administrator for one", "此 API 密钥不存在或已撤销，请向管理员索取"],
  ["this needs an administrator's key", "此操作需要管理员的密钥"],
  ["only an administrator keeps a folder in step: leave `source` out", "只有管理员才能与文件夹保持同步：请去掉 source"],

  ["{refusal}. These are read: {types}", "{refusal}。可读取：{types}"],
  [
    "PDF, Word (.docx), PowerPoint (.pptx), Excel (.xlsx), web pages (.html), Markdown (.md), text (.txt), tables (.csv, .tsv), e-mail (.eml) and images (.png, .jpg, .tiff, .webp)",
    "PDF、Word（.docx）、PowerPoint（.pptx）、Excel（.xlsx）、网页（.html）、Markdown（.md）、文本（.txt）、表格（.csv、.tsv）、邮件（.eml）和图片（.png、.jpg、.tiff、.webp）",
  ],
  ["the file is not a {kind}, as its name ({ending}) says: it holds plain text", "文件内容是纯文本，与文件名（{ending}）所示的类型不符"],
  [
    "the file is of an unknown type ({ending}) and no text: it begins with the bytes {bytes}",
    "文件类型未知（{ending}），也不是文本：开头的字节为 {bytes}",
  ],
  ["the file is of an unknown type and no text: it begins with the bytes {bytes}", "文件类型未知，也不是文本：开头的字节为 {bytes}"],
  ["the file is {description}", "不支持此类文件：{description}"],

  ["a GIF image: save it as .png", "GIF 图片，请另存为 .png"],
  ["a BMP image: save it as .png", "BMP 图片，请另存为 .png"],
  ["a zip archive: unpack it and add what is in it", "zip 压缩包，请解压后添加其中的文件"],
  ["a gzip archive: unpack it and add what is in it", "gzip 压缩包，请解压后添加其中的文件"],
  ["a 7-Zip archive: unpack it and add what is in it", "7-Zip 压缩包，请解压后添加其中的文件"],
  ["a RAR archive: unpack it and add what is in it", "RAR 压缩包，请解压后添加其中的文件"],
  ["an archive of an unknown type", "类型未知的压缩包"],
  ["a Windows program", "Windows 程序"],
  ["a program", "程序"],
  ["a database", "数据库"],
  ["a sound or film", "音频或视频"],
  ["a sound", "音频"],
  ["an XML file", "XML 文件"],
  ["a rich text file (.rtf): save it as .docx", "RTF 文件（.rtf），请另存为 .docx"],
  ["a PostScript file (.ps): convert it to PDF", "PostScript 文件（.ps），请转换为 PDF"],
  ["an e-book (.epub): convert it to PDF", "电子书（.epub），请转换为 PDF"],
  ["a mailbox of several e-mails (.mbox): save them as .eml", "含多封邮件的邮箱文件（.mbox），请逐封另存为 .eml"],
  ["an Outlook message (.msg): save it as .eml", "Outlook 邮件（.msg），请另存为 .eml"],
  ["a Word document with macros (.docm): save it as .docx", "带宏的 Word 文档（.docm），请另存为 .docx"],
  ["a Word template (.dotx): save it as .docx", "Word 模板（.dotx），请另存为 .docx"],
  ["a PowerPoint show (.ppsx): save it as .pptx", "PowerPoint 放映文件（.ppsx），请另存为 .pptx"],
  ["a PowerPoint template (.potx): save it as .pptx", "PowerPoint 模板（.potx），请另存为 .pptx"],
  ["an Excel template (.xltx): save it as .xlsx", "Excel 模板（.xltx），请另存为 .xlsx"],
  ["a binary Excel workbook (.xlsb): save it as .xlsx", "二进制 Excel 工作簿（.xlsb），请另存为 .xlsx"],
  ["an OpenDocument text (.odt): save it as .docx or PDF", "OpenDocument 文本（.odt），请另存为 .docx 或 PDF"],
  ["an OpenDocument table (.ods): save it as .xlsx", "OpenDocument 表格（.ods），请另存为 .xlsx"],
  ["an OpenDocument file: save it as PDF", "OpenDocument 文件，请另存为 PDF"],
  ["a Word document of before 2007 (.doc): save it as .docx", "2007 年以前的 Word 文档（.doc），请另存为 .docx"],
  ["a PowerPoint presentation of before 2007 (.ppt): save it as .pptx", "2007 年以前的 PowerPoint 演示文稿（.ppt），请另存为 .pptx"],
  ["an Excel workbook of before 2007 (.xls): save it as .xlsx", "2007 年以前的 Excel 工作簿（.xls），请另存为 .xlsx"],
  ["a file of an old Office program: save it in today's format", "旧版 Office 文件，请另存为新版格式"],
  ["an Office file in the form called Strict Open XML: save it in the ordinary one", "Strict Open XML 格式的 Office 文件，请另存为普通格式"],

  // What a sentence begins with: Latin letters and Chinese characters are parted by a space.
  ["file", "文件"],
  ["Office file", "Office 文件"],
  ["PDF", "PDF "],
  ["Word document", "Word 文档"],
  ["PowerPoint presentation", "PowerPoint 演示文稿"],
  ["Excel workbook", "Excel 工作簿"],
  ["web page", "网页"],
  ["Markdown text", "Markdown 文本"],
  ["plain text", "纯文本"],
  ["table of values", "表格"],
  ["e-mail", "邮件"],
  ["image", "图片"],

  ["{number} s", "{number} 秒"],
  ["{number} s for one page", "每页 {number} 秒"],
  ["{number} character", "{number} 个字符"],
  ["{number} characters", "{number} 个字符"],
];

/** The server quotes a file's name; without its quotes it could not be told from the words around it. */
const quoted = `'[^']*'|"[^"]*"`;
const patterns = messages.map(([english, chinese]) => ({ pattern: patternOf(english), chinese }));

/** @param {string} english */
function patternOf(english) {
  const literal = english.replace(/[.()]/g, "\\$&");
  return new RegExp(`^${literal.replace(/\{(\w+)\}/g, (_, name) => `(?<${name}>${name === "file" ? quoted : ".+?"})`)}$`, "s");
}

/** A message of the server in Chinese; as it came where there are no words for it. @param {string} said @returns {string} */
export function inChinese(said) {
  for (const { pattern, chinese } of patterns) {
    const found = pattern.exec(said);
    if (found) return chinese.replace(/\{(\w+)\}/g, (_, name) => filledIn(name, found.groups?.[name] ?? ""));
  }
  return said;
}

/** @param {string} name @param {string} said */
function filledIn(name, said) {
  if (name === "file") return `“${said.slice(1, -1)}”`;
  return name === "pages" || name === "names" ? said.replaceAll(", ", "、") : inChinese(said);
}
