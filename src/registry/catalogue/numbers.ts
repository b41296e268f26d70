/** Numbers in as few bytes as they need. */
export type PackedNumbers = Uint16Array | Uint32Array

/** The same numbers, in as few bytes as they need. */
export function packed(numbers: ArrayLike<number>): PackedNumbers {
  let most = 0
  for (let i = 0; i < numbers.length; i++) most = Math.max(most, numbers[i] ?? 0)
  return most <= 0xffff ? new Uint16Array(numbers) : new Uint32Array(numbers)
}

/** Where a number is among numbers in rising order, or would be. */
export function placeOf(numbers: PackedNumbers, number: number, length = numbers.length): number {
  let [low, high] = [0, length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((numbers[middle] ?? 0) < number) low = middle + 1
    else high = middle
  }
  return low
}
