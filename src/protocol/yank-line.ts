/** An index line, its text, that says `"yanked":true`; nothing else in it changes. The line must be that of a valid entry. */
export function yankLine(line: string): string {
  const key = endOfKey(line, 'yanked')
  if (key === undefined) {
    const end = line.lastIndexOf('}')
    return `${line.slice(0, end)},"yanked":true${line.slice(end)}`
  }
  const value = /\s*:\s*/y
  value.lastIndex = key
  value.test(line)
  const rest = line.slice(value.lastIndex).replace(/^\w+/, 'true')
  return `${line.slice(0, value.lastIndex)}${rest}`
}

/** The position after the object's own key, however it is escaped; keys of inner objects are passed over. */
function endOfKey(json: string, key: string): number | undefined {
  let depth = 0
  for (let at = 0; at < json.length; at++) {
    const character = json[at]
    if (character === '{' || character === '[') depth++
    else if (character === '}' || character === ']') depth--
    else if (character === '"') {
      const end = endOfString(json, at)
      if (depth === 1 && isKey(json, end) && JSON.parse(json.slice(at, end)) === key) return end
      at = end - 1
    }
  }
  return undefined
}

/** The position after the closing quote of the string that opens at `start`. */
function endOfString(json: string, start: number): number {
  let at = start + 1
  while (at < json.length && json[at] !== '"') at += json[at] === '\\' ? 2 : 1
  return at + 1
}

/** Whether the string that ends before `end` is followed by a colon. */
function isKey(json: string, end: number): boolean {
  const colon = /\s*:/y
  colon.lastIndex = end
  return colon.test(json)
}
