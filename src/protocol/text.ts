/** Control characters and the two Unicode line separators: what can break a line, a log, or a terminal. */
const CONTROL = /[\p{Cc}\u2028\u2029]/u

/** Whether `text` fits on one line and into UTF-8: no control character, line separator, or lone surrogate. */
export function isPlainText(text: string): boolean {
  return text.isWellFormed() && !CONTROL.test(text)
}

/** Whether `text` may be shown as prose of several lines: anything that UTF-8 can hold, except NUL. */
export function isProse(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0')
}

/** Whether `part` stands at that position. As a slice: `startsWith` goes through it character by character. */
export function hasAt(text: string, part: string, at: number): boolean {
  return text.slice(at, at + part.length) === part
}

/** `text` as an error quotes it: in backticks, on one line, at most about 100 characters. */
export function quote(text: string): string {
  const short = text.length > 100 ? `${text.slice(0, 100)}…` : text
  return `\`${short.toWellFormed().replace(/[\p{Cc}\u2028\u2029]/gu, '\uFFFD')}\``
}
