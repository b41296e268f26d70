/** Another way to write a path, which must not get more than the plain one. */
export interface Spelling {
  readonly title: string
  /** `undefined` where the path has no such spelling. */
  write(path: string, place: Place): string | undefined
}

export interface Place {
  readonly mount: string
  readonly origin: string
  /** The crate that the path is about. */
  readonly name: string
}

export const PLAIN: Spelling = { title: 'plain', write: (path) => path }

/** Every spelling but the plain one; paths begin with the mount. */
export const SPELLINGS: readonly Spelling[] = [
  spelling('lower case escapes', (path, { name }) => path.replace(name, escaped(name, 'lower'))),
  spelling('upper case escapes', (path, { name }) => path.replace(name, escaped(name, 'upper'))),
  spelling('one escaped letter in the last segment', (path) =>
    path.replace(/[^/]([^/]*)$/, (last, rest) => escaped(last.slice(0, 1), 'lower') + rest),
  ),
  spelling('an escaped letter in a word of the route', (path) =>
    path.replace(
      /\/(api|index|me|config)\b/,
      (word) => `/${escaped(word.slice(1, 2), 'lower')}${word.slice(2)}`,
    ),
  ),
  spelling('an escaped letter in the mount', (path, { mount }) =>
    path.replace(mount, `/${escaped(mount.slice(1), 'upper')}`),
  ),
  spelling('escaped twice', (path, { name }) =>
    path.replace(name, escaped(name, 'lower').replaceAll('%', '%25')),
  ),
  spelling('two slashes before the last segment', (path) => beforeLast(path, '//')),
  spelling('two slashes in front', (path) => `/${path}`),
  spelling('two slashes behind the mount', (path, { mount }) => path.replace(mount, `${mount}/`)),
  spelling('/./', (path) => beforeLast(path, '/./')),
  spelling('/x/../', (path) => beforeLast(path, '/x/../')),
  spelling('/%2e/', (path) => beforeLast(path, '/%2e/')),
  spelling('/x/%2e%2e/', (path) => beforeLast(path, '/x/%2e%2e/')),
  spelling('out of the mount and back', (path, { mount }) => path.replace(mount, `${mount}/..${mount}`)),
  spelling('through the page without a login', (path, { mount }) => path.replace(mount, `${mount}/me/..`)),
  spelling('a parameter behind the name', (path, { name }) => path.replace(name, `${name};x=1`)),
  spelling('a parameter at the end', (path) => `${path};x`),
  spelling('a parameter behind the mount', (path, { mount }) => path.replace(mount, `${mount};x`)),
  spelling('a slash at the end', (path) => `${path}/`),
  spelling('a dot at the end', (path) => `${path}.`),
  spelling('a dot behind the name', (path, { name }) => path.replace(name, `${name}.`)),
  spelling('an escaped space at the end', (path) => `${path}%20`),
  spelling('a space at the end', (path) => `${path} `),
  spelling('the name in upper case', (path, { name }) => path.replace(name, name.toUpperCase())),
  spelling('the name with underscores', (path, { name }) => path.replace(name, name.replaceAll('-', '_'))),
  spelling('the name with escaped underscores', (path, { name }) =>
    path.replace(name, name.replaceAll('-', '%5F')),
  ),
  spelling('the words in upper case', (path) =>
    path.replace(/\/(api\/v1\/crates|index|me|config)\b/, (words) => words.toUpperCase()),
  ),
  spelling('the mount in upper case', (path, { mount }) => path.replace(mount, mount.toUpperCase())),
  spelling('an escaped NUL at the end', (path) => `${path}%00`),
  spelling('an escaped NUL behind the name', (path, { name }) => path.replace(name, `${name}%00`)),
  spelling('an escaped line feed at the end', (path) => `${path}%0a`),
  spelling('an escaped slash', (path) => beforeLast(path, '%2f')),
  spelling('an escaped slash in upper case', (path) => beforeLast(path, '%2F')),
  spelling('a backslash', (path) => beforeLast(path, '\\')),
  spelling('an escaped backslash', (path) => beforeLast(path, '%5c')),
  spelling('an overlong slash', (path) => beforeLast(path, '%c0%af')),
  spelling('a raw byte above ASCII', (path) => beforeLast(path, '\u00ef\u00bc\u008f')),
  spelling('an extension', (path) => `${path}.json`),
  spelling('an empty query', (path) => `${path}?`),
  spelling(
    'a query that names the crate',
    (path, { name }) =>
      `${path}?q=${name}&crate=${name}&name=${name}&ids%5B%5D=${name}&per_page=100&include=versions`,
  ),
  spelling('a query that looks for canaries', (path) => `${path}?q=canary&keyword=canary&letter=a`),
  spelling('a query with a token of no one', (path) => `${path}?access_token=x&token=x&_method=GET`),
  spelling('an absolute target', (path, { origin }) => `${origin}${path}`),
  spelling('an absolute target elsewhere', (path) => `http://elsewhere.example${path}`),
  spelling('the other root of the index', (path, { mount }) => path.replace(mount, `${mount}/index`)),
  spelling('a fragment', (path) => `${path}#x`),
]

/** Those that have opened doors elsewhere; for what the others would take too long for. */
export const COMMON_SPELLINGS: readonly Spelling[] = SPELLINGS.filter(({ title }) =>
  [
    ...['lower case escapes', 'upper case escapes', 'escaped twice', 'two slashes before the last segment'],
    ...['two slashes in front', '/./', '/x/../', 'a parameter at the end', 'a slash at the end'],
    ...['a dot at the end', 'the name in upper case', 'the words in upper case', 'an escaped slash'],
    ...['a backslash', 'an absolute target', 'the other root of the index'],
  ].includes(title),
)

function spelling(title: string, write: Spelling['write']): Spelling {
  return {
    title,
    write(path, place) {
      const written = write(path, place)
      return written === path ? undefined : written
    },
  }
}

function beforeLast(path: string, separator: string): string {
  return path.replace(/\/(?=[^/]*$)/, () => separator)
}

function escaped(text: string, hex: 'lower' | 'upper'): string {
  return [...text]
    .map((letter) => {
      const code = letter.charCodeAt(0).toString(16)
      return `%${hex === 'lower' ? code : code.toUpperCase()}`
    })
    .join('')
}
