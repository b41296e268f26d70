import assert from 'node:assert/strict'
import { test } from 'node:test'
import { linkBase } from '../../../src/http/readme/link-base.ts'

const CASES: readonly (readonly [string | undefined, string | undefined, string | undefined])[] = [
  ['https://github.com/acme/foo', undefined, 'https://github.com/acme/foo/blob/HEAD/'],
  ['https://github.com/acme/foo.git', 'README.md', 'https://github.com/acme/foo/blob/HEAD/README.md'],
  ['https://github.com/acme/foo/', 'docs/README.md', 'https://github.com/acme/foo/blob/HEAD/docs/README.md'],
  ['https://github.com/acme/foo/tree/main/crates/x', undefined, 'https://github.com/acme/foo/blob/HEAD/'],
  ['https://gitlab.com/a/b/c', undefined, 'https://gitlab.com/a/b/c/-/blob/HEAD/'],
  ['https://gitlab.com/a/b/-/tree/main/x', undefined, 'https://gitlab.com/a/b/-/blob/HEAD/'],
  ['https://bitbucket.org/a/b', undefined, 'https://bitbucket.org/a/b/src/HEAD/'],
  ['https://github.com/acme/foo', '../../../../evil/x', 'https://github.com/acme/foo/blob/HEAD/'],
  ['https://github.com/acme/foo', 'https://evil.example/x', 'https://github.com/acme/foo/blob/HEAD/'],
  ['https://github.com/acme/foo', '//evil.example/x', 'https://github.com/acme/foo/blob/HEAD/'],
  ['https://github.com/acme', undefined, undefined],
  ['https://github.com', undefined, undefined],
  ['http://github.com/acme/foo', undefined, undefined],
  ['https://github.com:8443/acme/foo', undefined, undefined],
  ['https://github.com.evil.example/acme/foo', undefined, undefined],
  ['https://x:y@github.com/acme/foo', undefined, undefined],
  ['https://git.example/acme/foo', undefined, undefined],
  ['javascript:alert(1)', undefined, undefined],
  ['', undefined, undefined],
  [undefined, undefined, undefined],
]

test('linkBase() is where the files of a repository are looked at, on hosts that are known', () => {
  for (const [repository, readme, base] of CASES)
    assert.equal(linkBase(repository, readme), base, `${repository} ${readme}`)
})
