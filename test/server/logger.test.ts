import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { pino } from 'pino'
import { createRequestLog, createTimestamp, gathered } from '../../src/server/logger.ts'

const LOGGER = join(import.meta.dirname, '../../src/server/logger.ts')

function written() {
  const writes: string[] = []
  return { writes, to: { write: (text: string) => void writes.push(text) } }
}

test('gathered() writes the lines of a few milliseconds at once', async () => {
  const { writes, to } = written()
  const stream = gathered(to)
  for (const line of ['a\n', 'b\n', 'c\n']) stream.write(line)
  assert.deepEqual(writes, [])
  await setTimeout(50)
  assert.deepEqual(writes, ['a\nb\nc\n'])
  stream.write('d\n')
  await setTimeout(50)
  assert.deepEqual(writes, ['a\nb\nc\n', 'd\n'])
})

test('gathered() does not hold many', () => {
  const { writes, to } = written()
  const stream = gathered(to)
  for (let i = 0; i < 70; i++) stream.write(`${'x'.repeat(1023)}\n`)
  assert.deepEqual(
    writes.map(({ length }) => length),
    [65 * 1024],
  )
})

test('a process that ends has written every line', () => {
  const script = `
    const { createLogger } = await import(${JSON.stringify(LOGGER)})
    const logger = createLogger({ worker: 3 })
    for (let n = 0; n < 1000; n++) logger.info({ n }, 'line')
    process.exit(0)`
  const { stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  })
  assert.equal(status, 0)
  const lines = stderr
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { readonly n: number; readonly time: string })
    .sort((a, b) => a.n - b.n)
  assert.deepEqual(
    lines.map(({ time, ...line }) => ({ ...line, isTime: new Date(time).toISOString() === time })),
    Array.from({ length: 1000 }, (_, n) => ({ level: 30, worker: 3, n, msg: 'line', isTime: true })),
  )
})

test('createRequestLog() writes what pino would write', () => {
  const [ours, pinos] = [written(), written()]
  const timestamp = () => ',"time":"2026-11-26T01:02:03.004Z"'
  const logRequest = createRequestLog(ours.to, timestamp, { worker: 3, 'a "name"': { deep: [1] } })
  const logger = pino({ base: { worker: 3, 'a "name"': { deep: [1] } }, timestamp }, pinos.to)
  const usual = { request: 'abc-1', method: 'GET', path: '/cargo/se/rd/serde', status: 200, ms: 0 }
  for (const fields of [
    usual,
    { ...usual, user: 'ann', aborted: true as const },
    { ...usual, user: 'a"b\\c\n\u2028é\ud800', path: '/"\\\u0000\u007f\u0080é🦀', method: 'M-"\\' },
  ]) {
    logRequest(fields)
    logger.info(fields, 'request')
  }
  assert.equal(ours.writes.length, 3)
  assert.deepEqual(
    ours.writes.map((line) => JSON.parse(line)),
    pinos.writes.map((line) => JSON.parse(line)),
  )
  assert.ok(ours.writes.every((line) => line.indexOf('\n') === line.length - 1))
})

test('createTimestamp() follows the clock, and writes each millisecond once', () => {
  let now = Date.UTC(2026, 10, 26, 1, 2, 3, 4)
  const timestamp = createTimestamp(() => now)
  const first = timestamp()
  assert.equal(first, ',"time":"2026-11-26T01:02:03.004Z"')
  assert.equal(timestamp(), first)
  now += 1
  assert.equal(timestamp(), ',"time":"2026-11-26T01:02:03.005Z"')
  now -= 2
  assert.equal(timestamp(), ',"time":"2026-11-26T01:02:03.003Z"')
})
