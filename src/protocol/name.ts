import { CargoError } from '../errors.ts'

/** The longest crate name, in characters; crates.io's limit. */
export const MAX_NAME_LENGTH = 64

/** A crate name that satisfies {@link isValidName}, in the spelling it came in. */
export type CrateName = string & { readonly __brand: 'CrateName' }

// Names of the standard library and the compiler that crates.io reserves, and the devices Windows has no files of.
const RESERVED: ReadonlySet<string> = new Set([
  ...['alloc', 'arena', 'ast', 'builtins', 'collections', 'compiler_builtins', 'compiler_rt', 'compiletest'],
  ...['core', 'coretest', 'debug', 'driver', 'flate', 'fmt_macros', 'grammar', 'graphviz', 'macro', 'macros'],
  ...['proc_macro', 'rbml', 'rust_installer', 'rustbook', 'rustc', 'rustc_back', 'rustc_borrowck'],
  ...['rustc_driver', 'rustc_llvm', 'rustc_resolve', 'rustc_trans', 'rustc_typeck', 'rustdoc', 'rustllvm'],
  ...['rustuv', 'serialize', 'std', 'syntax', 'test', 'unicode'],
  ...['nul', 'con', 'prn', 'aux'],
  ...Array.from({ length: 10 }, (_, n) => [`com${n}`, `lpt${n}`]).flat(),
])

/** Whether `name` may name a crate: 1 to 64 ASCII letters, digits, `-` and `_`, a letter first. */
export function isValidName(name: string): name is CrateName {
  return name.length <= MAX_NAME_LENGTH && /^[A-Za-z][A-Za-z0-9_-]*$/.test(name)
}

/** Whether `name` may stand for a renamed dependency: a crate name that may also start with `_`. */
export function isValidAlias(name: string): boolean {
  return name.length <= MAX_NAME_LENGTH && /^[A-Za-z_][A-Za-z0-9_-]*$/.test(name)
}

/**
 * The name as it is, once it is known to be one.
 * @throws {CargoError} `invalid_name` naming the value and the rule it breaks
 */
export function validateName(name: string): CrateName {
  if (isValidName(name)) return name
  if (name === '') throw new CargoError('invalid_name', 'invalid crate name: must not be empty')
  if (name.length > MAX_NAME_LENGTH) {
    // the value is left out: it may be as long as a request
    throw new CargoError(
      'invalid_name',
      `invalid crate name of ${name.length} characters: must have at most ${MAX_NAME_LENGTH}`,
    )
  }
  const rule = /^[A-Za-z]/.test(name)
    ? 'must contain only ASCII letters, digits, `-` and `_`'
    : 'must start with an ASCII letter'
  throw new CargoError('invalid_name', `invalid crate name \`${name}\`: ${rule}`)
}

/** The form in which names are compared: lower case, `-` as `_`. */
export function canonicalName(name: string): string {
  const lower = name.toLowerCase()
  return lower.includes('-') ? lower.replaceAll('-', '_') : lower
}

/** Whether two spellings name the same crate. */
export function namesCollide(a: string, b: string): boolean {
  return canonicalName(a) === canonicalName(b)
}

/** Whether a name, in any spelling, belongs to the standard library or the compiler, or is a Windows device. */
export function isReservedName(name: string): boolean {
  return RESERVED.has(canonicalName(name))
}

/** The folder of a crate's file in the index, in the name's own case: `1`, `2`, `3/a`, `se/rd`. */
export function indexPrefix(name: string): string {
  if (name.length <= 2) return String(name.length)
  if (name.length === 3) return `3/${name.slice(0, 1)}`
  return `${name.slice(0, 2)}/${name.slice(2, 4)}`
}

/** The path of a crate's file in the index: `se/rd/serde`; lower case, `-` and `_` as they are. */
export function indexPath(name: string): string {
  const lower = name.toLowerCase()
  return `${indexPrefix(lower)}/${lower}`
}
