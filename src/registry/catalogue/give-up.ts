/** Frees memory that nobody looks at any more: as garbage it would pile up to tens of megabytes. */
export function giveUp(arrays: readonly (Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer>)[]): void {
  for (const { buffer } of arrays) buffer.transfer(0)
}
