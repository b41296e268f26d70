import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'

/** Waits until something is so, at most `ms`; whether it is. */
export async function eventually(is: () => boolean | Promise<boolean>, ms = 20_000): Promise<boolean> {
  for (const end = performance.now() + ms; performance.now() < end; await sleep(5))
    if (await is()) return true
  return is()
}

/** Waits, but not for long, until what is done behind the answers has led to `expected`. */
export async function until<T>(look: () => T | Promise<T>, expected: T, ms = 5_000): Promise<void> {
  await eventually(async () => isDeepStrictEqual(await look(), expected), ms)
  assert.deepEqual(await look(), expected)
}
