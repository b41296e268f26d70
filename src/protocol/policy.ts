import parseSpdx from 'spdx-expression-parse'
import type { Manifest } from './manifest.ts'
import type { PublishMetadata } from './metadata.ts'
import { quote } from './text.ts'

/** crates.io's limits (protocol.md 7). */
const MAX_DESCRIPTION_BYTES = 1000
const MAX_KEYWORDS = 5
const MAX_KEYWORD_LENGTH = 20
const MAX_CATEGORIES = 5
const MAX_FEATURES = 300
const MAX_FEATURE_ENTRIES = 300

/** Ours, so that an answer stays readable. */
const MAX_SHOWN = 6

/** Ours, so that a hostile expression is not worth parsing. */
const MAX_LICENSE_LENGTH = 500

const KEYWORD = /^[A-Za-z0-9][A-Za-z0-9_+-]*$/
const URL_FIELDS = ['homepage', 'documentation', 'repository'] as const
const SHOWN_FIELDS = ['description', 'license', ...URL_FIELDS] as const

/**
 * What crates.io would not like about a crate that is sound otherwise; empty when all is well. A registry warns of it,
 * or refuses.
 */
export function checkPolicy(metadata: PublishMetadata, manifest: Manifest): string[] {
  return [
    ...checkDescription(manifest.description),
    ...checkLicense(manifest),
    ...URL_FIELDS.flatMap((field) => checkUrl(field, manifest[field])),
    ...checkKeywords(manifest.keywords),
    ...checkCategories(manifest.categories),
    ...checkFeatures(manifest.features),
    ...checkRequirements(manifest),
    ...SHOWN_FIELDS.filter((field) => (metadata[field] ?? '') !== (manifest[field] ?? '')).map(
      (field) => `${field} of the metadata differs from that of \`Cargo.toml\`: the latter is shown`,
    ),
  ]
}

function checkDescription(description = ''): string[] {
  if (description.trim() === '') return ['description is missing: must say in a sentence what the crate does']
  const bytes = Buffer.byteLength(description)
  return bytes > MAX_DESCRIPTION_BYTES
    ? [`description has \`${bytes}\` bytes: at most ${MAX_DESCRIPTION_BYTES} are allowed`]
    : []
}

function checkLicense({ license = '', licenseFile = '' }: Manifest): string[] {
  if (license === '')
    return licenseFile === '' ? ['license is missing: must have `license` or `license-file`'] : []
  return isSpdx(license) ? [] : [`invalid license ${quote(license)}: must be an SPDX 2.1 licence expression`]
}

/** crates.io takes `/` for `OR`, as old crates write it. */
function isSpdx(license: string): boolean {
  if (license.length > MAX_LICENSE_LENGTH) return false
  try {
    parseSpdx(license.replaceAll('/', ' OR '))
    return true
  } catch {
    return false
  }
}

function checkUrl(field: string, url = ''): string[] {
  return url === '' || (/^https?:\/\//.test(url) && URL.canParse(url))
    ? []
    : [`invalid ${field} ${quote(url)}: must be a URL that starts with \`http://\` or \`https://\``]
}

function checkKeywords(keywords: readonly string[]): string[] {
  const bad = keywords.filter((keyword) => keyword.length > MAX_KEYWORD_LENGTH || !KEYWORD.test(keyword))
  return [
    ...tooMany('keywords', keywords.length, MAX_KEYWORDS),
    ...bad.map(
      (keyword) =>
        `invalid keyword ${quote(keyword)}: must start with a letter or a digit, go on with letters, digits, ` +
        `\`_\`, \`-\` or \`+\`, and have at most ${MAX_KEYWORD_LENGTH} characters`,
    ),
  ].slice(0, MAX_SHOWN)
}

/** Which slugs crates.io knows changes with time, so that a list of them here would refuse new ones. */
function checkCategories(categories: readonly string[]): string[] {
  return tooMany('categories', categories.length, MAX_CATEGORIES)
}

function checkFeatures(features: Manifest['features']): string[] {
  const large = Object.entries(features).filter(([, entries]) => entries.length > MAX_FEATURE_ENTRIES)
  return [
    ...tooMany('features', Object.keys(features).length, MAX_FEATURES),
    ...large
      .slice(0, MAX_SHOWN)
      .map(
        ([name, { length }]) =>
          `feature ${quote(name)} has \`${length}\` entries: at most ${MAX_FEATURE_ENTRIES} are allowed`,
      ),
  ]
}

function checkRequirements({ deps }: Manifest): string[] {
  return deps
    .filter((dep) => dep.req.trim() === '*')
    .map((dep) => `requirement \`*\` of dependency \`${dep.name}\` is too wide: must name a version`)
}

function tooMany(what: string, count: number, limit: number): string[] {
  return count > limit ? [`crate has \`${count}\` ${what}: at most ${limit} are allowed`] : []
}
