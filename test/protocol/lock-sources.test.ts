import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sortPackages } from '../../src/protocol/lock-sources.ts'

const OURS = 'sparse+https://crates.example/cargo/'
const CRATES_IO = 'registry+https://github.com/rust-lang/crates.io-index'

test('sortPackages() takes crates.io and this registry, counts other sources, and skips the workspace', () => {
  const locked = (name: string, source?: string) => ({ name, version: '1.0.0', source, checksum: undefined })
  const [git, other] = ['git+https://git.example/x#0123', 'registry+https://other.example/index']
  const packages = [
    locked('own'),
    locked('a', CRATES_IO),
    locked('b', OURS),
    locked('c', git),
    locked('d', other),
    locked('e', git),
    locked('f', `registry+${OURS}`),
  ]
  const { ours, others } = sortPackages(packages, (url) => url === OURS)
  assert.deepEqual(
    ours.map(({ name }) => name),
    ['a', 'b', 'f'],
  )
  assert.deepEqual(
    [...others],
    [
      [git, 2],
      [other, 1],
    ],
  )
})
