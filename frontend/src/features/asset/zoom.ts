/** Where a picture stands in its stage: `scale` 1 shows it whole; `x`, `y` move its centre, px. */
export type View = { scale: number; x: number; y: number }
export type Size = { width: number; height: number }

export const fitted: View = { scale: 1, x: 0, y: 0 }

/** Size at which the whole picture is seen; small pictures are not blown up. */
export function fittedSize(picture: Size, stage: Size): Size {
  if (picture.width === 0 || picture.height === 0 || stage.width === 0) return { width: 0, height: 0 }
  const ratio = Math.min(1, stage.width / picture.width, stage.height / picture.height)
  return { width: picture.width * ratio, height: picture.height * ratio }
}

/** Scale at which one pixel of the picture is one pixel of the screen. */
export function actualScale(picture: Size, stage: Size, pixelRatio: number): number {
  const { width } = fittedSize(picture, stage)
  return width === 0 ? 1 : picture.width / pixelRatio / width
}

export function largestScale(picture: Size, stage: Size, pixelRatio: number): number {
  return Math.max(4, actualScale(picture, stage, pixelRatio) * 4)
}

/** Keeps the picture on the stage: an edge never passes the middle of nothing, a picture that fits stays centred. */
export function contain(view: View, picture: Size, stage: Size): View {
  if (view.scale <= 1) return fitted
  const size = fittedSize(picture, stage)
  const reachX = Math.max(0, (size.width * view.scale - stage.width) / 2)
  const reachY = Math.max(0, (size.height * view.scale - stage.height) / 2)
  return {
    scale: view.scale,
    x: Math.min(reachX, Math.max(-reachX, view.x)),
    y: Math.min(reachY, Math.max(-reachY, view.y)),
  }
}

/** Scales around a point of the stage, given from its centre, so that what is there stays there. */
export function zoomAt(
  view: View,
  scale: number,
  point: { x: number; y: number },
  picture: Size,
  stage: Size,
  pixelRatio: number,
): View {
  const next = Math.min(largestScale(picture, stage, pixelRatio), Math.max(1, scale))
  const factor = next / view.scale
  return contain(
    { scale: next, x: point.x - (point.x - view.x) * factor, y: point.y - (point.y - view.y) * factor },
    picture,
    stage,
  )
}
