import { CargoError } from '../errors.ts'
import { normalizeCfg } from './cfg.ts'
import { isPlainText, quote } from './text.ts'

/** Long enough for any real expression, short enough to parse at once. */
export const MAX_TARGET_LENGTH = 4096

// Long runs of spaces would make the parser's work quadratic.
const MANY_SPACES = ' '.repeat(65)

const TRIPLE = /^[A-Za-z0-9_.-]+$/

/** Whether `text` is a target triple, or the name of a target file's stem. */
export function isValidTriple(text: string): boolean {
  return text.length <= MAX_TARGET_LENGTH && TRIPLE.test(text)
}

/**
 * A dependency's platform as cargo prints it: a triple as it is, an expression as `cfg(all(unix, a = "b"))`.
 * @throws {CargoError} `invalid_dependency` when `text` is neither; cargo would hold the whole index entry for invalid
 */
export function normalizeTarget(text: string): string {
  if (isValidTriple(text)) return text
  if (isReadable(text) && text.startsWith('cfg(') && text.endsWith(')')) {
    return `cfg(${normalizeCfg(text.slice('cfg('.length, -1))})`
  }
  throw new CargoError(
    'invalid_dependency',
    `invalid target ${quote(text)}: must be a target triple or a \`cfg(…)\` expression`,
  )
}

/**
 * The target as it is, once it is known to be one.
 * @throws {CargoError} `invalid_dependency`, as `normalizeTarget`
 */
export function validateTarget(text: string): string {
  normalizeTarget(text)
  return text
}

function isReadable(text: string): boolean {
  return text.length <= MAX_TARGET_LENGTH && isPlainText(text) && !text.includes(MANY_SPACES)
}
