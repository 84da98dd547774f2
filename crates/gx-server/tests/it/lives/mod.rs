//! Whole lives of what people do with the platform, from the first request to the last.

mod wallet_guide;
