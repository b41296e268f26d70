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

test('planDownloads() looks at all that a version needs, not only at what it names itself', () => {
  const files = [
    file('a', { '0.8.0': [dep('core', { req: '^0.8' })], '0.9.0': [dep('core', { req: '^0.9' })] }),
    file('core', { '0.8.0': ['x'], '0.9.0': ['x', 'unread'] }),
    file('x', { '1.0.0': [] }),
  ]
  assert.deepEqual(plan(['a'], files), ['a@0.8.0', 'core@0.8.0', 'x@1.0.0'])
})

test('planDownloads() takes the newest version of those that are as likely', () => {
  const files = [file('a', { '1.0.0': ['one'], '2.0.0': ['two'], '2.1.0': ['two'], '3.0.0': ['b', 'c'] })]
  assert.deepEqual(plan(['a'], files), ['a@2.1.0'])
})

test('planDownloads() takes one of compatible versions: the lower one, which something insists on', () => {
  const files = [
    file('a', { '1.0.0': [dep('x', { req: '^1' }), dep('b')] }),
    file('b', { '1.0.0': [dep('x', { req: '=1.1.0' }), dep('y')] }),
    file('x', { '1.1.0': [], '1.2.0': [] }),
    file('y', { '1.0.0': [dep('x', { req: '^1.0.5' })] }),
  ]
  assert.deepEqual(plan(['a'], files), ['a@1.0.0', 'b@1.0.0', 'x@1.1.0', 'y@1.0.0'])
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
