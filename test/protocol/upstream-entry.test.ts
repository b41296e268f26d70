import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { IndexEntry } from '../../src/protocol/index-entry.ts'
import { parseLines } from '../../src/protocol/index-lines.ts'
import { entriesOf } from '../../src/protocol/upstream-copy.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** All that an entry says, whether it holds it or reads it from its line. */
function said({ deps, features, features2, ...held }: IndexEntry): object {
  return { ...held, deps, features, ...(features2 !== undefined && { features2 }) }
}

function line(vers: string, more: object = {}): string {
  return `${JSON.stringify({ name: 'foo', vers, deps: [], cksum: 'a'.repeat(64), features: {}, ...more })}\n`
}

test('entries of an uplink say what their lines do', () => {
  const body = [
    line('1.0.0'),
    '\r\n',
    line('1.1.0', {
      deps: [
        { name: 'bar', req: '^1', kind: 'build' },
        { name: 'b', req: '*', package: 'baz', optional: true },
      ],
      features: { default: ['std'], é: ['dep:b'] },
      features2: { x: ['b?/y'] },
      yanked: true,
      ...{ links: 'zä漢', rust_version: '1.70', pubtime: '2026-01-01T00:00:00Z', v: 2 },
    }).replaceAll('\n', '\r\n'),
    line('2.0.0', { features2: null, v: null, links: null }),
  ].join('')
  assert.deepEqual(entriesOf('foo', Buffer.from(body)).map(said), parseLines(body).map(said))
})

test('entries of an uplink say the same again when others were asked for meanwhile', () => {
  const versions = 4_000
  const features = Object.fromEntries(
    Array.from({ length: 100 }, (_, at) => [`feature-${at}`, [`other-${at}`]]),
  )
  const body = Array.from({ length: versions }, (_, at) =>
    line(`1.0.${at}`, { features: { ...features, at: [`${at}`] } }),
  )
  // More than is held of all that was read.
  assert.ok(body.join('').length > 8 * 1024 * 1024)
  const entries = entriesOf('foo', Buffer.from(body.join('')))
  const at = (position: number) => entries[position]?.features['at']
  for (let round = 0; round < 2; round++)
    for (let position = 0; position < versions; position++) assert.deepEqual(at(position), [`${position}`])
  assert.equal(at(versions - 1), at(versions - 1), 'read once')
})

test('entries of an uplink take far less memory than their lines', () => {
  const dep = {
    name: 'bar',
    req: '^1',
    features: ['a', 'b'],
    optional: false,
    default_features: true,
    kind: 'normal',
  }
  const deps = Array.from({ length: 20 }, () => dep)
  const versions = 4_000
  const body = Buffer.from(Array.from({ length: versions }, (_, at) => line(`1.0.${at}`, { deps })).join(''))
  const before = heapInUse()
  const entries = entriesOf('foo', body)
  const each = (heapInUse() - before) / versions
  assert.ok(body.length / versions > 2000)
  assert.equal(entries.length, versions)
  assert.ok(each < 600, `${each} bytes for each version`)
})

function heapInUse(): number {
  collectGarbage()
  return process.memoryUsage().heapUsed
}
