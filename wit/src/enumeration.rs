//! Enumerations: a closed set of names without content, each declared once.

/// The text is none of the names of an enumeration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is none of {}", names.join(", "))]
pub struct UnknownName {
    /// The text.
    pub text: String,
    /// The valid names.
    pub names: &'static [&'static str],
}

/// Declares an enumeration: each case with its name in WIT, which is also its name in JSON and in text. A case with two names
/// has the second in JSON and in text.
macro_rules! enumeration {
    (
        $(#[$meta:meta])*
        pub enum $name:ident { $($(#[$case_meta:meta])* $case:ident = $wit:literal,)+ }
    ) => {
        enumeration! { $(#[$meta])* pub enum $name { $($(#[$case_meta])* $case = $wit $wit,)+ } }
    };
    (
        $(#[$meta:meta])*
        pub enum $name:ident { $($(#[$case_meta:meta])* $case:ident = $wit:literal $text:literal,)+ }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(
            feature = "host",
            derive(wasmtime::component::ComponentType, wasmtime::component::Lift, wasmtime::component::Lower),
            component(enum)
        )]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[repr(u8)]
        pub enum $name {
            $(
                $(#[$case_meta])*
                #[serde(rename = $text)]
                #[cfg_attr(feature = "openapi", schema(rename = $text))]
                #[cfg_attr(feature = "host", component(name = $wit))]
                $case,
            )+
        }

        impl $name {
            /// All cases, in their order.
            pub const ALL: &'static [Self] = &[$(Self::$case),+];
            /// Their names, in the same order.
            pub const NAMES: &'static [&'static str] = &[$($text),+];

            /// The case's name in JSON and in text.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$case => $text),+ }
            }

            /// The case at this place in the order. The component's bindings call it. The canonical ABI admits no other number
            /// than those of the cases.
            #[doc(hidden)]
            #[must_use]
            pub fn _lift(place: u8) -> Self {
                let [first, ..] = [$(Self::$case),+];
                Self::ALL.get(usize::from(place)).copied().unwrap_or(first)
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::UnknownName;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let found = Self::ALL.iter().copied().find(|case| case.name() == text);
                found.ok_or_else(|| $crate::UnknownName { text: text.to_owned(), names: Self::NAMES })
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

pub(crate) use enumeration;

#[cfg(all(test, feature = "openapi"))]
mod tests {
    use utoipa::PartialSchema;

    use crate::{DeliveryQueue, ExpiryWindow, Plan, Role};

    #[test]
    fn an_enumeration_has_the_same_names_in_json_in_text_and_in_its_schema() {
        fn names<T: PartialSchema + serde::Serialize + std::fmt::Display>(cases: &[T], texts: &[&str]) {
            let json: Vec<_> = cases.iter().map(|case| serde_json::to_value(case).unwrap()).collect();
            let text: Vec<_> = cases.iter().map(|case| serde_json::Value::from(case.to_string())).collect();
            let schema = serde_json::to_value(T::schema()).unwrap();
            assert_eq!(schema["enum"], serde_json::json!(json));
            assert_eq!((text, serde_json::json!(texts)), (json.clone(), serde_json::json!(json)));
        }
        names(ExpiryWindow::ALL, ExpiryWindow::NAMES);
        names(DeliveryQueue::ALL, DeliveryQueue::NAMES);
        names(Plan::ALL, Plan::NAMES);
        names(Role::ALL, Role::NAMES);
    }
}
