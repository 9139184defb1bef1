//! `keys!`: a map of keys from one definition: its struct, how it is read, its JSON Schema, its defaults.
//!
//! Knows no key; `keys` holds the definitions.

use super::reader::Read;

/// A map of keys, each with a default or none.
pub(super) trait Keys: Read {
    /// What holds for a key nobody wrote.
    fn defaults() -> Self;
}

/// Defines a map of keys: its struct, how it is read, its JSON Schema and its defaults, all from one list.
macro_rules! keys {
    (
        $(#[doc = $about:literal])+
        $name:ident {
            $( $(#[doc = $meaning:literal])+ $key:ident : $type:ty $(= $default:literal)?, )*
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, Default)]
        pub(super) struct $name {
            $( $(#[doc = $meaning])+ pub(super) $key: Option<Given<$type>>, )*
        }

        impl $name {
            /// In the order of the definition.
            pub(super) const KEYS: &'static [&'static str] = &[$(stringify!($key)),*];
        }

        impl Keys for $name {
            fn defaults() -> $name {
                $name { $( $key: keys!(@default $($default)?), )* }
            }
        }

        impl Read for $name {
            fn read(node: &Node, reader: &mut Reader) -> Option<$name> {
                let mut keys = $name::default();
                for entry in reader.entries(node, &accepted_keys($name::KEYS))? {
                    match entry.key.text.as_str() {
                        $( stringify!($key) => keys.$key = Given::read(&entry.value, reader), )*
                        _ => reader.unknown_key(entry, $name::KEYS),
                    }
                }
                Some(keys)
            }

            fn schema(generator: &mut SchemaGenerator) -> Schema {
                generator.subschema_for::<$name>()
            }

            fn over(self, default: $name) -> $name {
                $name { $( $key: Given::over(self.$key, default.$key), )* }
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).trim_end_matches("Keys").into()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                let mut properties = serde_json::Map::new();
                $(
                    #[allow(unused_mut)]
                    let mut schema = <$type as Read>::schema(generator);
                    schema.insert("description".to_owned(), concat!($($meaning),+).trim().into());
                    $( schema.insert("default".to_owned(), $default.into()); )?
                    properties.insert(stringify!($key).to_owned(), schema.to_value());
                )*
                schemars::json_schema!({
                    "type": ["object", "null"],
                    "description": concat!($($about),+).trim(),
                    "properties": properties,
                    "additionalProperties": false,
                })
            }
        }
    };
    (@default) => { None };
    (@default $default:literal) => { Given::default($default) };
}
pub(super) use keys;
