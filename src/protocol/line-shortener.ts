import { hasAt } from './text.ts'

/** What comes before the first dependency, as registries write it: no field before it can hide anything. */
const TO_DEPS = /\{"name": ?"[^"\\]*", ?"vers": ?"[^"\\]*", ?"deps": ?\[/y
const TO_FEATURES = /, ?"cksum": ?"[0-9a-f]{64}", ?"features": ?\{/y
const TO_FEATURES2 = /, ?"features2": ?\{/y
const [COMMA, SPACE, BRACKET, BRACE] = [0x2c, 0x20, 0x5d, 0x7d]
/** Characters of an element that is remembered: V8 tells strings of many thousand apart by their length alone at first. */
const MAX_KNOWN = 4096

/** Leaves out of the lines of one index file what is valid and seldom asked for. */
export interface LineShortener {
  /**
   * The line with nothing in its `deps`, `features` and `features2`, which are valid; as valid JSON as the whole line is.
   * `undefined`: somebody has to read the whole line, since it is written in another way, or not valid.
   */
  shorten(line: string): string | undefined
}

/** One dependency, or an object with one feature. */
export type LinePart = 'dep' | 'feature'

/** The elements of a list or an object. */
interface Elements {
  /** Where they end that begin at `from`, with the bracket behind them; `undefined` when they are not known to be valid. */
  endFrom(line: string, from: number): number | undefined
}

/**
 * Why: four of five dependencies of a version are those of another one to the letter, and nine of ten features; together
 * they are most of the bytes. A JSON value ends where its brackets do: text that begins with one that was read before
 * begins with that value. `isValid` reads a text that is to be one such part, in JSON.
 */
export function createLineShortener(isValid: (text: string, part: LinePart) => boolean): LineShortener {
  const deps = elements('}', BRACKET, (text) => (isValid(text, 'dep') ? '' : undefined))
  const feature = (text: string) => (isValid(`{${text}}`, 'feature') ? keyOf(text) : undefined)
  const features = elements(']', BRACE, feature)
  const features2 = elements(']', BRACE, feature)
  return {
    shorten(line) {
      const toDeps = endOf(TO_DEPS, line, 0)
      const afterDeps = toDeps && deps.endFrom(line, toDeps)
      const toFeatures = afterDeps && endOf(TO_FEATURES, line, afterDeps)
      const afterFeatures = toFeatures && features.endFrom(line, toFeatures)
      if (!afterFeatures) return undefined
      const head = `${line.slice(0, toDeps)}]${line.slice(afterDeps, toFeatures)}}`
      const toFeatures2 = endOf(TO_FEATURES2, line, afterFeatures)
      if (toFeatures2 === undefined) return head + line.slice(afterFeatures)
      const afterFeatures2 = features2.endFrom(line, toFeatures2)
      if (afterFeatures2 === undefined) return undefined
      return `${head}${line.slice(afterFeatures, toFeatures2)}}${line.slice(afterFeatures2)}`
    },
  }
}

/**
 * Of elements that end with `last`. `keyIn` gives the key of a valid one, which must not occur twice, or nothing where
 * there are no keys.
 */
function elements(last: string, closing: number, keyIn: (text: string) => string | undefined): Elements {
  const known = new Map<string, string>()
  /** All of the version before. */
  let before = ''

  function endFrom(line: string, from: number): number | undefined {
    if (line.charCodeAt(from) === closing) return from + 1
    const keys = new Set<string>()
    let keyed = 0
    for (let at = from; ; ) {
      const end = line.indexOf(last, at) + 1
      const text = line.slice(at, end)
      const key = known.get(text) ?? keyIn(text)
      if (key === undefined) return undefined
      if (text.length <= MAX_KNOWN) known.set(text, key)
      if (key !== '' && keys.add(key).size < ++keyed) return undefined
      const next = line.charCodeAt(end)
      if (next === closing) return end + 1
      if (next !== COMMA) return undefined
      at = line.charCodeAt(end + 1) === SPACE ? end + 2 : end + 1
    }
  }

  return {
    endFrom(line, from) {
      if (before !== '' && hasAt(line, before, from)) return from + before.length
      const end = endFrom(line, from)
      if (end !== undefined) before = line.slice(from, end)
      return end
    },
  }
}

/** The key of an element in JSON; `undefined` where it may look otherwise in another element. */
function keyOf(text: string): string | undefined {
  return text.startsWith('"') && !text.includes('\\') ? text.slice(0, text.indexOf('"', 1)) : undefined
}

/** Where the text ends that matches the sticky pattern at `from`. */
function endOf(pattern: RegExp, text: string, from: number): number | undefined {
  pattern.lastIndex = from
  return pattern.test(text) ? pattern.lastIndex : undefined
}
