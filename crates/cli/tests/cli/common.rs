//! A folder to run the program in.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

/// How far off an output may be, in the report on a proof.
#[track_caller]
pub fn tolerance(report: &Value) -> &str {
    let accuracy = &report["claim"]["accuracy"];
    match accuracy["kind"].as_str() {
        Some("exact") => "0",
        _ => accuracy["error"].as_str().unwrap(),
    }
}

/// The JSON Schema of what a command prints, or of certificates, if there is one.
pub fn schema(name: &str) -> Option<Value> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("schemas/{name}.schema.json"));
    Some(serde_json::from_slice(&fs::read(file).ok()?).unwrap())
}

/// A judge of the form of such JSON.
pub fn validator(name: &str) -> jsonschema::Validator {
    jsonschema::validator_for(&schema(name).unwrap()).unwrap()
}

/// What is not as a schema says.
pub fn errors_of_form(validator: &jsonschema::Validator, value: &Value) -> Vec<String> {
    validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// What a run of the program gave.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// A folder of its own, in which the program runs: every message names files relative to it.
pub struct Folder(TempDir);

/// The program, with the one that it asks beside it. What is proved is proved: nothing is remembered of other runs.
pub fn program() -> Command {
    roundproof_solver::testing::build_program();
    let mut program = Command::new(env!("CARGO_BIN_EXE_roundproof"));
    program.env("CI", "true");
    program
}

/// A data set of the repository.
pub fn shared(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data").join(name)
}

impl Folder {
    pub fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    /// A folder with one of the repository's data sets.
    pub fn with(name: &str) -> Folder {
        let folder = Folder::new();
        fs::copy(shared(name), folder.path(name)).unwrap();
        folder
    }

    /// The same folder, with a model that another tool trained.
    pub fn and_model(self, name: &str) -> Folder {
        let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sources/tests/models");
        fs::copy(models.join(name), self.path(name)).unwrap();
        self
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), contents).unwrap();
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    pub fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&self.read(name)).unwrap()
    }

    /// Runs the program with these arguments, split at blanks.
    pub fn run(&self, arguments: &str) -> Run {
        let output = program().args(arguments.split_whitespace()).current_dir(self.0.path()).output().unwrap();
        let run = Run {
            code: output.status.code().expect("ended by itself"),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        assert!(!run.stderr.contains("panicked"), "{arguments}: {run:?}");
        assert!(!run.stderr.contains("defect in roundproof"), "{arguments}: {run:?}");
        run
    }

    /// Runs it, and expects this exit code.
    #[track_caller]
    pub fn expect(&self, code: i32, arguments: &str) -> Run {
        let run = self.run(arguments);
        assert_eq!(run.code, code, "{arguments}: {run:?}");
        run
    }

    /// Runs it with `--json`, and reads what it prints, which has the form that is published, if one is.
    #[track_caller]
    pub fn expect_json(&self, code: i32, arguments: &str) -> Value {
        let value = serde_json::from_str(&self.expect(code, &format!("{arguments} --json")).stdout).unwrap();
        let command = arguments.split_whitespace().next().unwrap();
        if schema(command).is_some() {
            assert_eq!(errors_of_form(&validator(command), &value), Vec::<String>::new(), "{arguments}");
        }
        value
    }

    /// Checks `out/certificate.json` with `file`, below `out`, changed to `bytes`, whose digest the certificate has.
    pub fn check_resealed(&self, file: &str, bytes: &[u8]) -> Run {
        let (path, old, certificate) =
            (format!("out/{file}"), self.read(&format!("out/{file}")), "out/certificate.json");
        let json = self.json(certificate);
        let mut resealed = json.clone();
        resealed[file.split('.').next().unwrap()]["sha256"] = roundproof_files::Digest::of(bytes).to_string().into();
        self.write(&path, bytes);
        self.write(certificate, resealed.to_string());
        let run = self.run("check out/certificate.json");
        self.write(&path, old);
        self.write(certificate, json.to_string());
        run
    }

    /// Checks `out/certificate.json` with one value of it changed.
    pub fn check_with(&self, pointer: &str, value: Value) -> Run {
        let certificate = self.json("out/certificate.json");
        let mut changed = certificate.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        self.write("out/certificate.json", changed.to_string());
        let run = self.run("check out/certificate.json");
        self.write("out/certificate.json", certificate.to_string());
        run
    }

    /// Every file below the folder, with its contents.
    pub fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let (mut files, mut folders) = (BTreeMap::new(), vec![self.0.path().to_path_buf()]);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let contents = fs::read(&path).unwrap();
                    files.insert(path, contents);
                }
            }
        }
        files
    }
}

/// Where the bytes of each tensor stand in a safetensors file, and how many bytes an element has.
pub fn tensors(bytes: &[u8]) -> BTreeMap<String, (Range<usize>, usize)> {
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    let tensors = header.as_object().unwrap().iter().filter(|(name, _)| *name != "__metadata__");
    let place = |tensor: &Value| {
        let offset = |index: usize| 8 + length + tensor["data_offsets"][index].as_u64().unwrap() as usize;
        let size = tensor["dtype"].as_str().unwrap()[1..].parse::<usize>().unwrap() / 8;
        (offset(0)..offset(1), size)
    };
    tensors.map(|(name, tensor)| (name.clone(), place(tensor))).collect()
}

/// Two messages of different runs as one text for a snapshot.
pub fn message(run: &Run) -> String {
    format!("exit {}\n{}{}", run.code, run.stdout, run.stderr)
}
