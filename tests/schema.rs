//! The JSON report is what `docs/report.schema.json` says: no key is missing, no value is of another kind.

mod samples;

use serde_json::Value;

fn schema() -> Value {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/report.schema.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn faults(validator: &jsonschema::Validator, name: &str, report: &[u8]) -> Vec<String> {
    let document: Value = serde_json::from_slice(report).unwrap();
    validator
        .iter_errors(&document)
        .map(|error| format!("{name}: {}: {error}", error.instance_path()))
        .collect()
}

#[test]
fn every_golden_is_valid() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let mut wrong = Vec::new();
    for sample in samples::samples() {
        let report = std::fs::read(sample.directory.join("report.json")).unwrap();
        wrong.extend(faults(&validator, &sample.name, &report));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn reports_of_damaged_and_unkeyed_captures_are_valid() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let mut wrong = Vec::new();
    for sample in samples::samples() {
        let whole = sample.capture();
        for length in [24, 60, whole.len() / 3, whole.len() / 2, whole.len() - 1] {
            let output = samples::run_with_input(&sample.directory, &["-T", "json", "-"], &whole[..length]);
            if output.status.code() == Some(2) {
                continue;
            }
            wrong.extend(faults(&validator, &format!("{} cut to {length}", sample.name), &output.stdout));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A schema that demands nothing finds nothing: every key of every object must be demanded, and no golden may have
/// one which the schema does not describe.
#[test]
fn the_schema_demands_and_describes_every_key() {
    let schema = schema();
    let mut objects = vec![("document", &schema)];
    objects.extend(schema["$defs"].as_object().unwrap().iter().map(|(name, value)| (name.as_str(), value)));
    let mut seen = 0;
    while let Some((name, object)) = objects.pop() {
        let Some(properties) = object["properties"].as_object() else { continue };
        seen += 1;
        let mut required: Vec<&str> =
            object["required"].as_array().unwrap().iter().map(|key| key.as_str().unwrap()).collect();
        let mut described: Vec<&str> = properties.keys().map(String::as_str).collect();
        required.sort_unstable();
        described.sort_unstable();
        assert_eq!(required, described, "{name}");
        objects.extend(properties.iter().map(|(name, value)| (name.as_str(), value)));
    }
    assert!(seen > 15, "{seen} objects");

    let validator = jsonschema::validator_for(&closed(schema.clone())).unwrap();
    for sample in samples::samples() {
        let report = std::fs::read(sample.directory.join("report.json")).unwrap();
        assert_eq!(faults(&validator, &sample.name, &report), Vec::<String>::new());
    }
}

/// The same schema, but without room for keys that it does not describe.
fn closed(schema: Value) -> Value {
    match schema {
        Value::Object(mut object) => {
            if object.contains_key("properties") && object.contains_key("required") {
                object.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
            object.into_iter().map(|(key, value)| (key, closed(value))).collect()
        }
        Value::Array(items) => items.into_iter().map(closed).collect(),
        other => other,
    }
}
