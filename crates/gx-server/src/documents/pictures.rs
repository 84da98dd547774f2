//! Pictures, drawn anew: what hides behind, between or beside the pixels is gone, and so is where
//! and with what they were taken.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::error::{LimitError, LimitErrorKind};
use image::{DynamicImage, ImageDecoder as _, ImageError, ImageFormat, ImageReader, Limits};

use super::inspect::{DAMAGED, Kind, Misfit};

/// Pixels of a side at most: more than telephones take.
const SIDE_MAX: u32 = 16_384;

/// Memory for a picture at most: 100 megapixels are less.
const MEMORY_MAX: u64 = 320 << 20;

/// Of pictures that lose something when they are written.
const QUALITY: u8 = 90;

/// The picture, and what it is kept as. WebP is kept in an older form that every reader knows.
pub(super) fn redraw(kind: Kind, file: &[u8]) -> Result<(Kind, Vec<u8>), Misfit> {
    let picture = decode(kind, file).map_err(|_| DAMAGED)?;
    let kind = match kind {
        Kind::WebP if picture.color().has_alpha() => Kind::Png,
        Kind::WebP => Kind::Jpeg,
        Kind::Pdf | Kind::Jpeg | Kind::Png => kind,
    };
    encode(kind, &picture).map(|bytes| (kind, bytes)).map_err(|_| DAMAGED)
}

fn decode(kind: Kind, file: &[u8]) -> image::ImageResult<DynamicImage> {
    let format = match kind {
        Kind::WebP => ImageFormat::WebP,
        Kind::Jpeg => ImageFormat::Jpeg,
        Kind::Png | Kind::Pdf => ImageFormat::Png,
    };
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE_MAX);
    limits.max_image_height = Some(SIDE_MAX);
    limits.max_alloc = Some(MEMORY_MAX);
    let mut reader = ImageReader::with_format(Cursor::new(file), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    // Not every decoder looks at the limits by itself.
    let (width, height) = decoder.dimensions();
    if width.max(height) > SIDE_MAX || decoder.total_bytes() > MEMORY_MAX {
        let kind = LimitErrorKind::DimensionError;
        return Err(ImageError::Limits(LimitError::from_kind(kind)));
    }
    let orientation = decoder.orientation()?;
    let mut picture = DynamicImage::from_decoder(decoder)?;
    // It stood beside the pixels, where nothing is kept.
    picture.apply_orientation(orientation);
    Ok(picture)
}

fn encode(kind: Kind, picture: &DynamicImage) -> image::ImageResult<Vec<u8>> {
    let mut bytes = Vec::new();
    if kind == Kind::Png {
        picture.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png)?;
        return Ok(bytes);
    }
    let encoder = JpegEncoder::new_with_quality(&mut bytes, QUALITY);
    if picture.color().has_color() {
        picture.to_rgb8().write_with_encoder(encoder)?;
    } else {
        picture.to_luma8().write_with_encoder(encoder)?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage};

    use super::*;

    /// A picture of its own in the form of a kind.
    fn sample(format: ImageFormat) -> Vec<u8> {
        let picture = RgbImage::from_fn(40, 30, |x, y| Rgb([x as u8 * 6, y as u8 * 8, 90]));
        let mut bytes = Vec::new();
        picture.write_to(&mut Cursor::new(&mut bytes), format).unwrap();
        bytes
    }

    #[test]
    fn what_hides_behind_a_picture_is_gone() {
        for (kind, format, kept_as) in [
            (Kind::Png, ImageFormat::Png, Kind::Png),
            (Kind::Jpeg, ImageFormat::Jpeg, Kind::Jpeg),
            (Kind::WebP, ImageFormat::WebP, Kind::Jpeg),
        ] {
            let mut file = sample(format);
            file.extend(b"PK\x03\x04 an archive <script>");
            let (kept, bytes) = redraw(kind, &file).unwrap();
            assert_eq!(kept, kept_as);
            let found = |needle: &[u8]| bytes.windows(needle.len()).any(|w| w == needle);
            assert!(!found(b"PK\x03\x04") && !found(b"<script>"), "{kind:?}");
            let again = decode(kept, &bytes).unwrap();
            assert_eq!((again.width(), again.height()), (40, 30));
        }
    }

    #[test]
    fn a_picture_that_ends_early_or_claims_too_much_is_refused() {
        let whole = sample(ImageFormat::Png);
        assert_eq!(redraw(Kind::Png, &whole[..whole.len() / 2]), Err(DAMAGED));
        assert_eq!(redraw(Kind::Png, &whole[..8]), Err(DAMAGED));
        // Its head says that it is a million pixels wide; the sum over the head is made good.
        let mut bomb = whole;
        bomb[16..20].copy_from_slice(&1_000_000_u32.to_be_bytes());
        let mut crc = flate2::Crc::new();
        crc.update(&bomb[12..29]);
        bomb[29..33].copy_from_slice(&crc.sum().to_be_bytes());
        assert_eq!(redraw(Kind::Png, &bomb), Err(DAMAGED));
    }
}
