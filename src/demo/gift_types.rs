//! The gifts of the demo room; their pictures are in `web/pages/public/gifts`.

use crate::gift::SaveGiftType;

/// Name, picture and price.
const TYPES: [(&str, &str, i32); 5] = [
    ("Rose", "rose", 1),
    ("Coffee", "coffee", 10),
    ("Sparks", "fireworks", 66),
    ("Rocket", "rocket", 520),
    ("Castle", "castle", 1_314),
];

/// The gift types, cheapest first.
pub(super) fn all() -> Vec<SaveGiftType> {
    let numbered = TYPES.iter().zip(1..);
    numbered
        .map(|((name, picture, amount), number)| {
            let img = format!("/gifts/{picture}.svg");
            SaveGiftType {
                gift_id: number,
                kind: 1,
                name: (*name).to_owned(),
                amount: *amount,
                img: img.clone(),
                animation_type: 1,
                animation_img: img,
                order: number,
                extends: None,
            }
        })
        .collect()
}
