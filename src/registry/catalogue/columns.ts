type Numbers = Uint8Array | Uint16Array | Uint32Array

/** Numbers by row, in as few bytes as they need. */
export interface Column<T extends Numbers = Numbers> {
  get(row: number): number
  set(row: number, value: number): void
  /** All of them as they are now, for those who look at very many: rows beyond its end are 0. */
  readonly values: T
}

const FIRST_ROWS = 1024
/** More than the usual factor of two: what is given up leaves holes, and what was never written takes no memory yet. */
const GROWTH = 4

/** A column that grows; rows that were never set are 0. */
export function createColumn<T extends Numbers>(Type: new (length: number) => T): Column<T> {
  let values = new Type(FIRST_ROWS)
  return {
    get values() {
      return values
    },
    get: (row) => values[row] ?? 0,
    set(row, value) {
      if (row >= values.length) {
        const larger = new Type(Math.max(row + 1, values.length * GROWTH))
        larger.set(values)
        values = larger
      }
      values[row] = value
    },
  }
}
