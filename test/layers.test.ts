import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative, sep } from 'node:path'
import { test } from 'node:test'

const SRC = join(import.meta.dirname, '..', 'src')

/** The rooms of the house, and which rooms each may import from. Files at the top are rooms of their own. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'errors.ts': [],
  'name-glob.ts': [],
  'host.ts': ['errors.ts'],
  options: ['host.ts'],
  'options.ts': ['options', 'errors.ts', 'host.ts'],
  protocol: ['errors.ts'],
  uplinks: ['protocol', 'options.ts', 'errors.ts'],
  registry: ['protocol', 'uplinks', 'host.ts', 'options.ts', 'errors.ts', 'name-glob.ts'],
  // Sends events out: its I/O is neither the registry's nor HTTP's, and only the plugin knows of it.
  webhooks: ['uplinks', 'options.ts', 'host.ts', 'errors.ts', 'name-glob.ts'],
  http: ['registry', 'protocol', 'host.ts', 'options.ts', 'errors.ts'],
  'plugin.ts': ['http', 'registry', 'webhooks', 'uplinks', 'protocol', 'options.ts', 'host.ts', 'errors.ts'],
  hosts: ['host.ts', 'errors.ts', 'name-glob.ts'],
  // For the tests of hosts: nothing of ours imports it.
  testing: ['host.ts', 'errors.ts'],
  verdaccio: ['plugin.ts', 'hosts', 'options', 'options.ts', 'host.ts', 'errors.ts'],
  'index.ts': ['verdaccio', 'plugin.ts', 'options.ts', 'host.ts', 'errors.ts'],
  server: [
    'options',
    'index.ts',
    'plugin.ts',
    'hosts',
    'http',
    'registry',
    'webhooks',
    'protocol',
    'options',
    'options.ts',
    'host.ts',
    'errors.ts',
  ],
}

/** Packages that a room may use; rooms that are not listed may use any dependency. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  'errors.ts': [],
  'host.ts': [],
  options: ['zod'],
  'options.ts': ['zod'],
  'name-glob.ts': ['picomatch'],
  protocol: ['semver', 'smol-toml', 'spdx-expression-parse'],
  uplinks: ['undici'],
  registry: ['lru-cache'],
  webhooks: ['undici'],
  http: ['koa', '@koa/router', 'koa-body', 'prom-client', 'lru-cache', 'markdown-it', 'sanitize-html'],
}

/** What the pure room may not touch: files, sockets, clocks that tick by themselves. */
const IMPURE = /^node:(fs|net|http|https|http2|child_process|timers|worker_threads|os|dns)/

interface Import {
  readonly file: string
  readonly room: string
  readonly specifier: string
}

const imports = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .flatMap(importsOf)

test('every import between rooms follows an arrow of the design', () => {
  const wrong = imports
    .filter(({ specifier }) => specifier.startsWith('.'))
    .map((one) => ({ ...one, to: roomOf(normalize(join(dirname(one.file), one.specifier))) }))
    .filter(({ room, to }) => room !== to && !(MAY_IMPORT[room] ?? []).includes(to))
  assert.deepEqual(wrong, [])
  assert.ok(imports.length > 100, 'the imports were read')
})

test('every room uses the packages that it may', () => {
  const wrong = imports
    .filter(({ specifier }) => !specifier.startsWith('.') && !specifier.startsWith('node:'))
    .filter(({ room, specifier }) => PACKAGES[room]?.includes(specifier) === false)
  assert.deepEqual(wrong, [])
})

test('the protocol does no I/O and reads no clock', () => {
  const pure = imports.filter(({ room }) => room === 'protocol')
  assert.deepEqual(
    pure.filter(({ specifier }) => IMPURE.test(specifier)),
    [],
  )
  for (const file of new Set(pure.map((one) => one.file))) {
    const source = readFileSync(join(SRC, file), 'utf8')
    assert.doesNotMatch(source, /Date\.now|new Date\(\)|Math\.random|process\.env/, file)
  }
})

test('the environment is read where the process starts, and nowhere else', () => {
  const readers = [...new Set(imports.map((one) => one.file))].filter((file) =>
    readFileSync(join(SRC, file), 'utf8').includes('process.env'),
  )
  assert.deepEqual(
    readers.filter((file) => !['server', 'verdaccio'].includes(roomOf(file))),
    [],
  )
})

function importsOf(file: string): Import[] {
  const source = readFileSync(join(SRC, file), 'utf8')
  const found = source.matchAll(/(?:\bfrom\s|\bimport\s*\(?)\s*'([^'\n]+)'/g)
  return [...found].map(([, specifier = '']) => ({ file, room: roomOf(file), specifier }))
}

function roomOf(file: string): string {
  return relative('', file).split(sep)[0] ?? ''
}
