import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  CRATES_IO_INDEX,
  dependencyRegistry,
  isCratesIo,
  isRegistryUrl,
  sameRegistry,
} from '../../src/protocol/registry-url.ts'

const OWN = 'sparse+https://crates.example/cargo/'

test('sameRegistry() compares index URLs', () => {
  for (const [a, b, same] of [
    [OWN, 'https://crates.example/cargo', true],
    [OWN, 'sparse+https://CRATES.example:443/cargo/', true],
    [OWN, 'sparse+http://crates.example/cargo/', false],
    [OWN, 'sparse+https://crates.example/Cargo/', false],
    [OWN, 'sparse+https://crates.example/cargo.git/', false],
    [OWN, 'sparse+https://crates.example/cargo/?a', false],
    [CRATES_IO_INDEX, `${CRATES_IO_INDEX}.git`, false],
    ['not a url', 'not a url/', true],
  ] as const) {
    assert.equal(sameRegistry(a, b), same, `${a} ${b}`)
  }
})

test('dependencyRegistry() says null for this registry and one URL for crates.io', () => {
  const isThis = (url: string) => sameRegistry(url, OWN)
  for (const [registry, wanted] of [
    [null, null],
    ['sparse+https://crates.example/cargo', null],
    [`${CRATES_IO_INDEX}/`, CRATES_IO_INDEX],
    ['sparse+https://index.crates.io/', 'sparse+https://index.crates.io/'],
    ['sparse+https://other.example/', 'sparse+https://other.example/'],
  ] as const) {
    assert.equal(dependencyRegistry({ registry }, isThis), wanted)
  }
})

test('isCratesIo() knows only the git index', () => {
  assert.equal(isCratesIo(CRATES_IO_INDEX), true)
  assert.equal(isCratesIo(`sparse+${CRATES_IO_INDEX}`), false)
  assert.equal(isCratesIo(`${CRATES_IO_INDEX}.git`), false)
})

test('isRegistryUrl() wants an absolute URL', () => {
  for (const url of [OWN, CRATES_IO_INDEX, 'ssh://git@host.example/index'])
    assert.equal(isRegistryUrl(url), true, url)
  for (const url of [
    '',
    '/index',
    'host',
    'sparse+',
    'sparse+ssh://a/',
    'sparse+https://',
    'registry+https://',
  ]) {
    assert.equal(isRegistryUrl(url), false, url)
  }
})
