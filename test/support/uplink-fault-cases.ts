import type { FaultMode } from './uplink-faults.ts'

/** A fault, and what may come of it. */
export interface FaultCase {
  readonly fault: FaultMode
  /**
   * Whether a registry that asks for the first time may answer a whole 200 with the right content: it has to, it can
   * if it is patient or clever enough, or it cannot.
   */
  readonly right: 'always' | 'maybe' | 'never'
  /**
   * The answer cannot be told from a right one by who has seen no other: a cold registry may pass it on as it is (an
   * older file, another checksum), a warm one must not.
   */
  readonly plausible?: true
}

const never = (fault: FaultMode): FaultCase => ({ fault, right: 'never' })
const maybe = (fault: FaultMode): FaultCase => ({ fault, right: 'maybe' })
const always = (fault: FaultMode): FaultCase => ({ fault, right: 'always' })
const plausible = (fault: FaultMode): FaultCase => ({ fault, right: 'never', plausible: true })

/** What ails index files and `.crate` files alike. A warm registry serves the copy it has, whatever comes. */
const COMMON: readonly FaultCase[] = [
  always({ mode: 'ok' }),
  always({ mode: 'delay' }),
  always({ mode: 'drip', bytesPerSecond: 256 * 1024 }),
  // Small files get through before anyone loses patience.
  maybe({ mode: 'drip', bytesPerSecond: 10 }),
  never({ mode: 'silent' }),
  never({ mode: 'hang-up' }),
  never({ mode: 'reset-at' }),
  never({ mode: 'reset-at', byte: 0 }),
  never({ mode: 'short-CL' }),
  never({ mode: 'short-CL', byte: 0 }),
  never({ mode: 'long-CL' }),
  // All bytes are there, only the end is not said.
  maybe({ mode: 'chunk-noend' }),
  never({ mode: 'chunk-noend', byte: 100 }),
  never({ mode: 'clean-cut' }),
  never({ mode: 'extra-bytes' }),
  never({ mode: 'html200' }),
  never({ mode: 'empty200' }),
  never({ mode: 'json-error-200' }),
  never({ mode: 'gz-garbage' }),
  never({ mode: 'gz-bomb' }),
  maybe({ mode: 'n-encodings' }),
  never({ mode: 'huge' }),
  never({ mode: '204' }),
  never({ mode: '206' }),
  never({ mode: '304' }),
  maybe({ mode: '301' }),
  maybe({ mode: '302' }),
  maybe({ mode: '303' }),
  maybe({ mode: '307' }),
  maybe({ mode: '308' }),
  never({ mode: 'redirect-loop' }),
  never({ mode: '400' }),
  never({ mode: '401' }),
  never({ mode: '403' }),
  never({ mode: '404' }),
  never({ mode: '410' }),
  never({ mode: '451' }),
  never({ mode: '429' }),
  never({ mode: '500' }),
  never({ mode: '502' }),
  never({ mode: '503' }),
]

/**
 * Every mode for an index file of two versions or more. In a flipped bit every answer may hide: in a text it is
 * plausible or breaks the line, as it falls.
 */
export const INDEX_FAULTS: readonly FaultCase[] = [
  ...COMMON,
  plausible({ mode: 'flip-byte' }),
  never({ mode: 'wrong-crate' }),
  plausible({ mode: 'old-index' }),
  plausible({ mode: 'removed-line' }),
  plausible({ mode: 'changed-cksum' }),
  never({ mode: 'dup-line' }),
  never({ mode: 'foreign-lines' }),
  never({ mode: 'foreign-lines', mixed: true }),
  never({ mode: 'bom' }),
  // Cargo reads them as if they were right.
  maybe({ mode: 'crlf' }),
  maybe({ mode: 'no-final-newline' }),
]

/** Every mode for a `.crate` file. */
export const CRATE_FAULTS: readonly FaultCase[] = [
  ...COMMON,
  never({ mode: 'flip-byte' }),
  never({ mode: 'wrong-crate' }),
  // Whoever leaves the encoding alone has the right bytes.
  maybe({ mode: 're-encoded' }),
  maybe({ mode: 're-encoded', packed: true }),
]
