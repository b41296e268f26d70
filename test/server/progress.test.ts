import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCounter, createProgress } from '../../src/server/progress.ts'

const MiB = 1024 * 1024

function watched(isTTY: boolean) {
  const written: string[] = []
  const clock = { ms: 0 }
  const stream = { isTTY, write: (text: string | Uint8Array) => written.push(String(text)) > 0 }
  return { written, clock, progress: createProgress(stream, 4, () => clock.ms) }
}

test('createProgress() draws a bar on a terminal, not more often than anybody can see', () => {
  const { written, clock, progress } = watched(true)
  progress.step(MiB)
  progress.step(MiB)
  clock.ms = 200
  progress.step(MiB / 2)
  progress.clear()
  assert.deepEqual(written, [
    '\r[########----------------------] 1 of 4 packages, 1.0 MiB\x1b[K',
    '\r[#######################-------] 3 of 4 packages, 2.5 MiB\x1b[K',
    '\r\x1b[K',
  ])
})

test('createProgress() writes a line now and then where there is no terminal', () => {
  const { written, clock, progress } = watched(false)
  progress.step(MiB)
  clock.ms = 10_000
  progress.step(0)
  progress.step(0)
  progress.clear()
  assert.deepEqual(written, ['2 of 4 packages, 1.0 MiB\n'])
})

test('createCounter() tells how many there were, of whatever number', () => {
  const written: string[] = []
  const write = (text: string | Uint8Array) => written.push(String(text)) > 0
  const progress = createCounter({ isTTY: true, write }, 'objects', () => 0)
  progress.step(MiB)
  assert.deepEqual(written, ['\r1 objects, 1.0 MiB\x1b[K'])
})
