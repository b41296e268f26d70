import { safeUrl } from '../pages/safe-url.ts'

/** How the address of a file begins, on hosts where that is known; `HEAD` is whatever the repository's main branch is. */
const FILES: Readonly<Record<string, string>> = {
  'github.com': 'blob/HEAD/',
  'gitlab.com': '-/blob/HEAD/',
  'bitbucket.org': 'src/HEAD/',
}

/**
 * What relative links of a README are relative to: the folder of the README in a repository on a known host;
 * `undefined` for every other one.
 * @param readmeFile the README's path in the crate, such as `docs/README.md`
 */
export function linkBase(repository: string | undefined, readmeFile?: string): string | undefined {
  const url = safeUrl(repository)
  const files = url?.protocol === 'https:' && url.port === '' ? FILES[url.hostname] : undefined
  if (url === undefined || files === undefined) return undefined
  const [owner, name, ...rest] = url.pathname.split('/').filter(Boolean)
  if (owner === undefined || name === undefined) return undefined
  // GitLab has groups in groups; `-` and `tree` begin what is within the repository.
  const end = rest.findIndex((part) => part === '-' || part === 'tree')
  const groups = url.hostname === 'gitlab.com' ? rest.slice(0, end < 0 ? rest.length : end) : []
  const path = [owner, name, ...groups].join('/').replace(/\.git$/, '')
  const root = `${url.origin}/${path}/${files}`
  const from = new URL(encodeURI(readmeFile ?? ''), root).href
  return from.startsWith(root) ? from : root
}
