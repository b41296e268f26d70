import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { IndexEntry } from '../../../src/protocol/index-entry.ts'
import { type KnownVersions, planDownloads } from '../../../src/registry/upstream/download-plan.ts'
import { dep, file } from './index-files.ts'

function plan(roots: readonly string[], files: readonly (readonly IndexEntry[])[], known?: KnownVersions) {
  const read = new Map(files.map((entries) => [entries[0]?.name.toLowerCase() ?? '', entries]))
  return planDownloads(roots, read, known).map(({ entry }) => `${entry.name}@${entry.vers}`)
}

test('planDownloads() takes the last direct dependency first, and what it needs after it', () => {
  const files = [
    file('a', { '1.0.0': ['x'] }),
    file('b', { '1.0.0': ['y', 'x'] }),
    file('x', { '1.0.0': [], '1.2.0': [] }),
    file('y', { '1.0.0': ['z'] }),
    file('z', { '1.0.0': [] }),
  ]
  assert.deepEqual(plan(['a', 'b'], files), ['b@1.0.0', 'y@1.0.0', 'z@1.0.0', 'x@1.2.0', 'a@1.0.0'])
})

test('planDownloads() takes the version whose dependencies were read', () => {
  const files = [file('a', { '1.0.0': ['x'], '2.0.0': ['unread'] }), file('x', { '1.0.0': [] })]
  assert.deepEqual(plan(['a'], files), ['a@1.0.0', 'x@1.0.0'])
  assert.deepEqual(plan(['a'], [file('a', { '1.0.0': ['x'] })]), ['a@1.0.0'])
})

test('planDownloads() takes the version that the client made known, and what that one needs', () => {
  const files = [
    file('a', { '1.0.0': [dep('x', { req: '^1' })], '2.0.0': [dep('x', { req: '^2' })] }),
    file('x', { '1.0.0': [], '2.0.0': [] }),
  ]
  assert.deepEqual(plan(['a'], files), ['a@2.0.0', 'x@2.0.0'])
  assert.deepEqual(plan(['a'], files, new Map([['a', '1.0.0']])), ['a@1.0.0', 'x@1.0.0'])
})

test('planDownloads() takes what a feature brings by the requirement of the crate that has the feature', () => {
  const ws = dep('socket', { optional: true, req: '^0.29' })
  const files = [
    file('web', { '1.0.0': [ws] }, { features: { ws: ['dep:socket'] } }),
    file('socket', { '0.29.0': ['sha'], '0.30.0': [] }),
    file('sha', { '1.0.0': [] }),
  ]
  assert.deepEqual(plan(['web', 'socket'], files), ['web@1.0.0', 'socket@0.29.0', 'sha@1.0.0'])
})

test('planDownloads() takes two versions of a crate that two others want', () => {
  const files = [
    file('a', { '1.0.0': [dep('x', { req: '^1' }), dep('b')] }),
    file('b', { '1.0.0': [dep('x', { req: '^2' })] }),
    file('x', { '1.0.0': [], '2.0.0': [] }),
  ]
  assert.deepEqual(plan(['a'], files), ['a@1.0.0', 'x@1.0.0', 'b@1.0.0', 'x@2.0.0'])
})

test('planDownloads() leaves out what nobody read, and takes what nothing led to', () => {
  const files = [file('a', { '1.0.0': [] }), file('lonely', { '1.0.0': [] })]
  assert.deepEqual(plan(['a'], files), ['a@1.0.0', 'lonely@1.0.0'])
  assert.deepEqual(plan([], []), [])
})
