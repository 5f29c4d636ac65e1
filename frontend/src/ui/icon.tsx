import type { ReactNode } from 'react'

/** Strokes on a 20 px grid. */
const paths = {
  add: 'M10 4v12M4 10h12',
  archive: 'M3 4h14v4H3zM4.5 8v8h11V8M8 11h4',
  'arrow-down': 'M10 4v12M5 11l5 5 5-5',
  'arrow-up': 'M10 16V4M5 9l5-5 5 5',
  audio: 'M8 14.5V5l8-1.5V13M8 14.5a2 2 0 1 1-4 0 2 2 0 0 1 4 0zM16 13a2 2 0 1 1-4 0 2 2 0 0 1 4 0z',
  back: 'M16 10H4M9 5l-5 5 5 5',
  bell: 'M5 13.5V9a5 5 0 0 1 10 0v4.5l1.5 1.5h-13zM8.5 17h3M10 2.5V4',
  calendar: 'M3.5 5h13v11.5h-13zM3.5 8.5h13M7 3v3.5M13 3v3.5',
  check: 'M4 10.5l4 4 8-9',
  'chevron-down': 'M5 8l5 5 5-5',
  'chevron-left': 'M12 5l-5 5 5 5',
  'chevron-right': 'M8 5l5 5-5 5',
  clock: 'M17 10a7 7 0 1 1-14 0 7 7 0 0 1 14 0zM10 6v4l2.5 2',
  close: 'M5 5l10 10M15 5L5 15',
  collection:
    'M3 6.5A1.5 1.5 0 0 1 4.5 5H8l1.5 2h6A1.5 1.5 0 0 1 17 8.5v6a1.5 1.5 0 0 1-1.5 1.5h-11A1.5 1.5 0 0 1 3 14.5z',
  copy: 'M7 7h9v9H7zM13 7V4H4v9h3',
  database:
    'M16 5.5c0 1.4-2.7 2.5-6 2.5S4 6.9 4 5.5 6.7 3 10 3s6 1.1 6 2.5zM4 5.5v9C4 15.9 6.7 17 10 17s6-1.1 6-2.5v-9M4 10c0 1.4 2.7 2.5 6 2.5s6-1.1 6-2.5',
  display: 'M3 4.5h14v9H3zM7 16.5h6M10 13.5v3',
  document: 'M5 3h6.5L15 6.5V17H5zM11 3v4h4M7.5 10.5h5M7.5 13.5h5',
  download: 'M10 3.5v9M6 9l4 4 4-4M4 16.5h12',
  edit: 'M4 16l.8-3.2L13.5 4a1.4 1.4 0 0 1 2 0l.5.5a1.4 1.4 0 0 1 0 2L7.2 15.2z',
  external: 'M11 4h5v5M16 4l-7 7M8 5H4v11h11v-4',
  filter: 'M3 5h14M5.5 10h9M8 15h4',
  font: 'M4 16L9.5 4h1L16 16M6.2 11.5h7.6',
  gallery: 'M3 4h8v5H3zM13 4h4v5h-4zM3 11h4v5H3zM9 11h8v5H9z',
  health: 'M3 10h3.5l2-5 3 10 2-5H17',
  image: 'M3 4h14v12H3zM3 13.5l4-4 4 4 2.5-2.5L17 14M13.5 7.5h.01',
  info: 'M17 10a7 7 0 1 1-14 0 7 7 0 0 1 14 0zM10 9.5v4M10 6.5h.01',
  keyboard: 'M2.5 5.5h15v9h-15zM6 8.5h.01M9 8.5h.01M12 8.5h.01M14.5 8.5h.01M6.5 11.5h7',
  link: 'M8.5 11.5l3-3M9 6.5l1.5-1.5a3.2 3.2 0 0 1 4.5 4.5L13.5 11M11 13.5L9.5 15A3.2 3.2 0 0 1 5 10.5L6.5 9',
  list: 'M7 5.5h10M7 10h10M7 14.5h10M3.5 5.5h.01M3.5 10h.01M3.5 14.5h.01',
  menu: 'M3 6h14M3 10h14M3 14h14',
  model: 'M10 3l6 3.5v7L10 17l-6-3.5v-7zM4 6.5l6 3.5 6-3.5M10 10v7',
  more: 'M5.5 10a.7.7 0 1 1-1.4 0 .7.7 0 0 1 1.4 0zM10.7 10a.7.7 0 1 1-1.4 0 .7.7 0 0 1 1.4 0zM15.9 10a.7.7 0 1 1-1.4 0 .7.7 0 0 1 1.4 0z',
  other: 'M5 3h6.5L15 6.5V17H5zM11 3v4h4',
  pause: 'M7 5v10M13 5v10',
  people:
    'M11 7a3 3 0 1 1-6 0 3 3 0 0 1 6 0zM2.5 16c.5-3 2.5-4.5 5.5-4.5s5 1.5 5.5 4.5M13 4.3a3 3 0 0 1 0 5.4M15 12c1.5.6 2.3 2 2.6 4',
  play: 'M7 4.5l8.5 5.5L7 15.5z',
  restore: 'M4 9a6.2 6.2 0 1 1 1 5M4 4.5V9h4.5',
  retry: 'M16 11a6.2 6.2 0 1 1-1-5M16 4v3.5h-3.5',
  search: 'M14 9A5 5 0 1 1 4 9a5 5 0 0 1 10 0zM12.7 12.7L17 17',
  select: 'M4 4h12v12H4zM7 10.2l2.2 2.2L13.2 8',
  settings: 'M3 6h6M13 6h4M3 14h3M10 14h7M13 6a2 2 0 1 1-4 0 2 2 0 0 1 4 0zM10 14a2 2 0 1 1-4 0 2 2 0 0 1 4 0z',
  ship: 'M10 2.5l5 4.5v6.5h-10V7zM5 10l-2 3v3l3-1.5M15 10l2 3v3l-3-1.5M10 7.5v2.5M8.5 17h3',
  shield: 'M10 2.5l6 2v5c0 4-2.5 6.5-6 8-3.5-1.5-6-4-6-8v-5zM7.2 10l2 2 3.6-4',
  signal: 'M3 3.5V16.5h14M5.5 13l3.5-4 3 2.5L16.5 6',
  sidebar: 'M3 4h14v12H3zM8 4v12',
  'sign-out': 'M8 4H4v12h4M8.5 10H17M13.5 6.5L17 10l-3.5 3.5',
  sort: 'M6 4v12M3.5 13.5L6 16l2.5-2.5M14 16V4M11.5 6.5L14 4l2.5 2.5',
  tag: 'M3.5 3.5h6l7 7-6 6-7-7zM7 7h.01',
  trash: 'M3.5 5.5h13M8 5.5V3.5h4v2M5.5 5.5l.7 11h7.6l.7-11M8.5 8.5v5M11.5 8.5v5',
  upload: 'M10 13V4M6 7.5L10 3.5l4 4M4 16.5h12',
  user: 'M13 7a3 3 0 1 1-6 0 3 3 0 0 1 6 0zM4.5 16.5c.6-3 2.5-4.5 5.5-4.5s4.9 1.5 5.5 4.5',
  video: 'M3 5h9.5v10H3zM12.5 9l4.5-2.5v7L12.5 11',
  warning: 'M10 3.5l7.5 13h-15zM10 8.5v3.5M10 14.3h.01',
  zoom: 'M14 9A5 5 0 1 1 4 9a5 5 0 0 1 10 0zM12.7 12.7L17 17M6.5 9h5M9 6.5v5',
  'zoom-out': 'M14 9A5 5 0 1 1 4 9a5 5 0 0 1 10 0zM12.7 12.7L17 17M6.5 9h5',
} as const

export type IconName = keyof typeof paths

export function Icon({ name, size = 20 }: { name: IconName; size?: number }): ReactNode {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      strokeWidth={1.5}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={paths[name]} />
    </svg>
  )
}

/** DAM's mark: rows of pictures that fill their width, as in the gallery. */
export function Mark({ size = 24 }: { size?: number }): ReactNode {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" fill="#0e6a70" />
      <g fill="#fff">
        <rect x="6" y="7" width="12" height="8" rx="2" />
        <rect x="20" y="7" width="6" height="8" rx="2" opacity=".72" />
        <rect x="6" y="17" width="6" height="8" rx="2" opacity=".72" />
        <rect x="14" y="17" width="12" height="8" rx="2" />
      </g>
    </svg>
  )
}
