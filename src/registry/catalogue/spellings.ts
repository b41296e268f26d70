import { createColumn } from './columns.ts'

/** How names are spelled: a bit for each character, whether it is not as in the canonical form. */
export interface Spellings {
  /** Takes note of the spelling of the name whose characters are numbered from `start` on. */
  add(start: number, canonical: string, spelling: string): void
  of(start: number, canonical: string): string
}

export function createSpellings(): Spellings {
  const bits = createColumn(Uint8Array)
  return {
    add(start, canonical, spelling) {
      for (let i = 0; i < spelling.length; i++) {
        const at = start + i
        if (spelling[i] !== canonical[i]) bits.set(at >>> 3, bits.get(at >>> 3) | (1 << (at & 7)))
      }
    },
    of(start, canonical) {
      const isOther = (at: number) => (bits.get(at >>> 3) & (1 << (at & 7))) !== 0
      return Array.from(canonical, (letter, i) => (isOther(start + i) ? unfolded(letter) : letter)).join('')
    },
  }
}

function unfolded(letter: string): string {
  return letter === '_' ? '-' : letter.toUpperCase()
}
