import type { PublishChange } from '../../src/protocol/change.ts'
import type { IndexEntry } from '../../src/protocol/index-entry.ts'
import { between, pick, type Random, randomFrom } from '../support/random.ts'

const SYLLABLES =
  'ser de tok io hy per rand log reg ex cli nom syn quo te as ync net web http json mut arc gra ph vec mat map tree fs db sql my red is ka fka am qp ma th num cry pto ring aes sha hash rust core util ext macro gen parse lex fmt ansi term tui gui win gl vk audio vid img png zip tar'.split(
    ' ',
  )
const WORDS =
  'a fast simple library for the Rust of and with to crate async safe bindings parser implementation client server API support data types macro derive wrapper around based in memory zero-copy HTTP JSON protocol database high performance lightweight tool command line utilities generic trait embedded no_std driver game engine math vector runtime web framework rendering graph algorithm compression encryption wasm'.split(
    ' ',
  )
const KEYWORDS =
  'async web http json parser cli database sql crypto hash game graphics math embedded no-std wasm macro derive serialization logging testing network protocol client server api ffi audio image compression'.split(
    ' ',
  )
const CATEGORIES =
  'algorithms asynchronous command-line-utilities cryptography data-structures database development-tools development-tools::testing embedded encoding game-engines graphics network-programming parser-implementations web-programming web-programming::http-server'.split(
    ' ',
  )

/** Publishes of so many crates that look like those of crates.io, the same ones each time. */
export function* manyCrates(count: number): Generator<PublishChange> {
  const random = randomFrom(count)
  const popular: string[] = []
  for (let number = 0; number < count; number++) {
    const name = crateName(random, number)
    const deps = new Set(Array.from({ length: between(random, 0, 9) }, () => dependency(random, popular)))
    if (popular.length < 2000) popular.push(name)
    deps.delete('')
    yield publish(random, name, [...deps])
  }
}

/** Three letters to three words, joined in one of the usual ways; the number makes it the only one of its kind. */
function crateName(random: Random, number: number): string {
  const parts = Array.from({ length: between(random, 1, 4) }, () => pick(random, SYLLABLES))
  const joined = parts.join(pick(random, ['', '', '-', '_']))
  return `${joined}${pick(random, ['', '-', '-rs'])}${number.toString(36)}`
}

/** The earlier a crate was, the more others depend on it. */
function dependency(random: Random, popular: readonly string[]): string {
  return popular[Math.floor(popular.length * random() ** 3)] ?? ''
}

function publish(random: Random, name: string, deps: readonly string[]): PublishChange {
  const minute = between(random, 0, 5 * 365 * 24 * 60)
  const at = `${new Date(Date.UTC(2021, 0, 1, 0, minute)).toISOString().slice(0, 19)}Z`
  return {
    ...{ kind: 'publish', id: name, at, by: 'bench', via: 'http://registry.example', owners: ['bench'] },
    entry: indexEntry(
      name,
      `${between(random, 0, 3)}.${between(random, 0, 20)}.${between(random, 0, 10)}`,
      deps,
    ),
    details: {
      size: between(random, 2_000, 200_000),
      description: words(random, between(random, 4, 16)),
      ...(random() < 0.8 && { repository: `https://git.example/${pick(random, SYLLABLES)}/${name}` }),
      ...(random() < 0.3 && { documentation: `https://docs.example/${name}` }),
      ...(random() < 0.3 && { homepage: `https://${name}.example/` }),
      license: 'MIT OR Apache-2.0',
      keywords: some(random, KEYWORDS, 5),
      categories: some(random, CATEGORIES, 2),
      authors: [],
    },
  }
}

/** An index entry without a file. */
export function indexEntry(name: string, vers: string, deps: readonly string[] = []): IndexEntry {
  return {
    ...{ name, vers, cksum: '0'.repeat(64), features: {}, yanked: false },
    deps: deps.map((dep) => ({
      ...{ name: dep, req: '^1', features: [], optional: false, default_features: true },
      ...{ target: null, kind: 'normal' },
    })),
  }
}

function words(random: Random, count: number): string {
  return Array.from({ length: count }, () => pick(random, WORDS)).join(' ')
}

function some(random: Random, from: readonly string[], most: number): readonly string[] {
  return [...new Set(Array.from({ length: between(random, 0, most + 1) }, () => pick(random, from)))]
}
