/** The page behind `cargo login`: how to get a token and where to put it. Works without JavaScript or styles from elsewhere. */
export function mePage(base: string): string {
  const url = escapeHtml(base)
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>Token for this cargo registry</title>
<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem}pre{overflow:auto;padding:.75rem;border:1px solid}</style>
<h1>Token for this cargo registry</h1>
<p>Ask the people who run this registry for a token, or use one that you have for this host. Then add the registry to
<code>~/.cargo/config.toml</code>:</p>
<pre>[registries.local]
index = "sparse+${url}/"
credential-provider = "cargo:token"</pre>
<p>and log in; cargo asks for the token and keeps it:</p>
<pre>cargo login --registry local</pre>
</html>
`
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`)
}
