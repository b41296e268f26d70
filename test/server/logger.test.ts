import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { pino } from 'pino'
import { createRequestLog, createTimestamp, gathered } from '../../src/server/logger.ts'
import { until } from '../support/until.ts'

const LOGGER = join(import.meta.dirname, '../../src/server/logger.ts')

function written() {
  const writes: string[] = []
  const write = (text: string) => void writes.push(text)
  return { writes, to: { write }, writeBytes: (bytes: Buffer) => write(bytes.toString()) }
}

test('gathered() writes the lines of a few milliseconds at once', async () => {
  const { writes, writeBytes } = written()
  const stream = gathered(writeBytes)
  for (const line of ['a\n', 'b\n', 'c\n']) stream.write(line)
  assert.deepEqual(writes, [])
  await until(() => writes, ['a\nb\nc\n'])
  stream.write('d\n')
  await until(() => writes, ['a\nb\nc\n', 'd\n'])
})

test('gathered() holds 64 KiB at most, and never divides a line', () => {
  const { writes, writeBytes } = written()
  const stream = gathered(writeBytes)
  const lines = Array.from({ length: 400 }, (_, n) => `${n}${'é🦀x'.repeat(n)}\n`)
  for (const line of lines) stream.write(line)
  assert.ok(writes.length > 1)
  for (const text of writes) {
    assert.ok(Buffer.byteLength(text) <= 64 * 1024)
    assert.match(text, /\n$/)
  }
  const long = `${'x'.repeat(100_000)}\n`
  stream.write(long)
  assert.equal(writes.at(-1), long)
  assert.equal(writes.join(''), lines.join('') + long)
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
  const usual = {
    request: 'abc-1',
    client: '192.0.2.1',
    method: 'GET',
    path: '/cargo/se/rd/serde',
    status: 200,
    ms: 0,
  }
  for (const fields of [
    usual,
    { ...usual, client: '2001:db8::1', user: 'ann', aborted: true as const },
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
