import { createSpellings } from './spellings.ts'

/** Names of a group: where a name begins is told from the beginning of its group. */
export const GROUP = 64
const GROWTH = 1.5
/** Before each name. */
const NEWLINE = 0x0a
/** {@link NEWLINE} takes so many bytes. */
export const SEAM = 1

/** Names one behind the other, in both forms: as bytes, which are not for the garbage collector to count. */
export interface NameText {
  readonly size: number
  /** Bytes in use. */
  readonly used: number
  readonly bytes: Buffer
  startOf(slot: number): number
  endOf(slot: number): number
  /** The canonical name. */
  at(slot: number): string
  /** The name as its crate spells it. */
  spellingAt(slot: number): string
  /** Negative when the canonical name of the first one is before that of the second one. */
  compare(a: number, b: number): number
  /** Whether the canonical name begins so. */
  beginsWith(slot: number, letters: string): boolean
  /** Whether the canonical name has these letters. */
  includes(slot: number, letters: string): boolean
  /** The canonical names of a group, with a character before each, and where the name of each slot begins in it. */
  group(group: number): string
  readonly starts: Uint16Array
}

/** A text to which names are added. */
export interface OpenNameText extends NameText {
  add(canonical: string, spelling: string): void
  /** Adds a name of another text. */
  copy(other: OpenNameText, slot: number): void
  isOther(at: number): boolean
}

/** Room for so many names, and to begin with so many bytes. */
export function createNameText(most: number, room: number): OpenNameText {
  let bytes = Buffer.allocUnsafeSlow(room)
  let [used, size] = [0, 0]
  const groups = new Uint32Array(Math.ceil(most / GROUP))
  const starts = new Uint16Array(most)
  const spellings = createSpellings(room)

  const startOf = (slot: number) => (groups[Math.floor(slot / GROUP)] ?? 0) + (starts[slot] ?? 0)
  const endOf = (slot: number) => (slot + 1 < size ? startOf(slot + 1) - SEAM : used)
  const at = (slot: number) => bytes.toString('latin1', startOf(slot), endOf(slot))

  /** The place of a name that is so long. */
  function next(length: number): number {
    if (used + SEAM + length > bytes.length) {
      const more = Buffer.allocUnsafeSlow(Math.ceil(bytes.length * GROWTH) + SEAM + length)
      bytes.copy(more, 0, 0, used)
      bytes = more
    }
    if (size % GROUP === 0) groups[size / GROUP] = used
    const start = used + SEAM
    starts[size] = start - (groups[Math.floor(size / GROUP)] ?? 0)
    bytes[used] = NEWLINE
    used = start + length
    size += 1
    return start
  }

  return {
    get size() {
      return size
    },
    get used() {
      return used
    },
    get bytes() {
      return bytes
    },
    ...{ startOf, endOf, at, starts, isOther: spellings.isOther },
    spellingAt: (slot) => spellings.of(startOf(slot), at(slot)),
    compare(a, b) {
      const [left, right] = [startOf(a), startOf(b)]
      const [leftEnd, rightEnd] = [endOf(a), endOf(b)]
      const length = Math.min(leftEnd - left, rightEnd - right)
      for (let i = 0; i < length; i++) {
        const difference = (bytes[left + i] ?? 0) - (bytes[right + i] ?? 0)
        if (difference !== 0) return difference
      }
      return leftEnd - left - (rightEnd - right)
    },
    beginsWith(slot, letters) {
      const start = startOf(slot)
      for (let i = 0; i < letters.length; i++)
        if (start + i >= used || bytes[start + i] !== letters.charCodeAt(i)) return false
      return true
    },
    includes(slot, letters) {
      const end = endOf(slot)
      const last = end - letters.length
      const [first, second] = [letters.charCodeAt(0), letters.charCodeAt(1)]
      for (let at = startOf(slot); at <= last; at++) {
        if (bytes[at] !== first || bytes[at + 1] !== second) continue
        let i = 2
        while (i < letters.length && bytes[at + i] === letters.charCodeAt(i)) i++
        if (i === letters.length) return true
      }
      return false
    },
    group: (group) => bytes.toString('latin1', groups[group], endOf(Math.min(size, (group + 1) * GROUP) - 1)),
    add(canonical, spelling) {
      const start = next(canonical.length)
      for (let i = 0; i < canonical.length; i++) bytes[start + i] = canonical.charCodeAt(i)
      if (spelling !== canonical) spellings.add(start, canonical, spelling)
    },
    copy(other, slot) {
      const [there, length] = [other.startOf(slot), other.endOf(slot) - other.startOf(slot)]
      const start = next(length)
      const from = other.bytes
      for (let i = 0; i < length; i++) {
        bytes[start + i] = from[there + i] ?? 0
        if (other.isOther(there + i)) spellings.mark(start + i)
      }
    },
  }
}
