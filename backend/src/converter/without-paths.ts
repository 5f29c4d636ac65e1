/** What a tool said, fit for users: the file is called so, and other paths of this machine shrink to their last part. */
export const withoutPaths = (text: string, file: string): string =>
  text
    .replaceAll(`file:${file}`, 'the file')
    .replaceAll(file, 'the file')
    .replace(/(?<![\w.:/])(?:file:)?(?:\/[\w.@+-]+)+\/([\w.@+-]+)/g, '$1')
