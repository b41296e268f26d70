/** A key that does not touch its colon. */
const SPACED_KEY = /"[ \t\r\n]+:/

/**
 * Whether an object anywhere in `json`, which must be valid JSON and not nested by thousands, has a key twice:
 * `JSON.parse`, which made `value` of it, keeps the last one silently, where cargo loses the line.
 */
export function hasDuplicateKeys(json: string, value: unknown): boolean {
  // Nearly always each key of the text is one of the value. A string may look like a key, but no key hides.
  const mayHide = SPACED_KEY.test(json)
  return (mayHide || countOf('":', json) !== countKeys(value)) && findDuplicateKey(json)
}

function countOf(part: string, text: string): number {
  let count = 0
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length)) count += 1
  return count
}

/** The keys of all objects in a value. */
function countKeys(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  let count = 0
  if (Array.isArray(value)) {
    for (const one of value) if (typeof one === 'object') count += countKeys(one)
    return count
  }
  // `in` makes no lists: an index file has a hundred thousand objects.
  for (const key in value) {
    const one = (value as Readonly<Record<string, unknown>>)[key]
    count += typeof one === 'object' ? 1 + countKeys(one) : 1
  }
  return count
}

function findDuplicateKey(json: string): boolean {
  // one set of keys per open object, `undefined` per open array
  const open: (Set<string> | undefined)[] = []
  for (let at = 0; at < json.length; at++) {
    const character = json[at]
    if (character === '{') open.push(new Set())
    else if (character === '[') open.push(undefined)
    else if (character === '}' || character === ']') open.pop()
    else if (character === '"') {
      const end = endOfString(json, at)
      const keys = open.at(-1)
      if (keys && isKey(json, end)) {
        const key = String(JSON.parse(json.slice(at, end)))
        if (keys.has(key)) return true
        keys.add(key)
      }
      at = end - 1
    }
  }
  return false
}

/** The position after the closing quote of the string that opens at `start`. */
function endOfString(json: string, start: number): number {
  let at = start + 1
  while (at < json.length && json[at] !== '"') at += json[at] === '\\' ? 2 : 1
  return at + 1
}

/** Whether the string that ends before `end` is followed by a colon. */
function isKey(json: string, end: number): boolean {
  let at = end
  while (json[at] === ' ' || json[at] === '\t' || json[at] === '\r' || json[at] === '\n') at++
  return json[at] === ':'
}
