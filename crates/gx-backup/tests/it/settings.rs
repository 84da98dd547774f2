//! Settings that would make backups worthless are refused by name.

use std::fs;

use gx_backup::{Plan, Repo};

use crate::place::{Place, only_us};

fn refused(place: &Place) -> String {
    Plan::load(&place.path("backup.toml")).unwrap_err().to_string()
}

#[test]
fn what_would_make_a_backup_worthless_is_refused_by_name() {
    let place = Place::new();
    for (more, name) in [
        ("[retention]\nfloor = 0\n", "retention.floor"),
        ("[retention]\ndays = 0\ndaily = 0\nweekly = 0\nmonthly = 0\n", "retention: "),
        ("[proof]\ndrill_days = 0\n", "proof.drill_days"),
        ("[proof]\nrecovery_point_hours = 0\n", "proof.recovery_point_hours"),
        ("[proof]\nrecovery_time_minutes = 0\n", "proof.recovery_time_minutes"),
        ("[[folder]]\nname = \"site\"\npath = \"/nowhere/at/all\"\n", "folder \"site\""),
        ("[[folder]]\nname = \"database\"\npath = \"/tmp\"\n", "folder \"database\""),
        ("[[folder]]\nname = \"../x\"\npath = \"/tmp\"\n", "folder \"../x\""),
        (
            "[[folder]]\nname = \"ca\"\npath = \"/tmp\"\nholds = [\"../key\"]\n",
            "folder \"ca\": ../key of holds",
        ),
        ("[[output]]\nname = \"etcd\"\ncommand = []\n", "output \"etcd\""),
        ("password = \"on the page\"\n", "backup.toml"),
    ] {
        place.settings(more);
        let text = refused(&place);
        assert!(text.contains(name), "{more}: {text}");
    }
    assert!(Plan::load(&place.path("none.toml")).is_err());
}

#[test]
fn a_password_that_is_short_missing_or_for_everybody_to_read_is_refused() {
    let place = Place::new();
    fs::write(place.path("backup.key"), "short\n").unwrap();
    assert!(refused(&place).contains("fewer than 20"), "{}", refused(&place));
    fs::set_permissions(
        place.path("backup.key"),
        std::os::unix::fs::PermissionsExt::from_mode(0o644),
    )
    .unwrap();
    assert!(refused(&place).contains("read by others"), "{}", refused(&place));
    fs::remove_file(place.path("backup.key")).unwrap();
    assert!(refused(&place).contains("repository.password_file"), "{}", refused(&place));
    fs::write(place.path("backup.key"), "x".repeat(40)).unwrap();
    only_us(&place.path("backup.key"));
    place.plan();
}

#[test]
fn a_target_on_the_disk_of_the_data_or_inside_of_it_is_refused() {
    let place = Place::new();
    let platform = place.platform("data");
    fs::create_dir_all(place.path("data/keys")).unwrap();
    let text = fs::read_to_string(place.path("backup.toml")).unwrap();
    place.plan().check_against(&platform).unwrap();
    fs::write(place.path("backup.toml"), text.replace("same_disk = true", "")).unwrap();
    let refused = place.plan().check_against(&platform).unwrap_err().to_string();
    assert!(refused.starts_with("repository.location") && refused.contains("disk"), "{refused}");
    let inside = text.replace("/repository\"", "/data/keys/repository\"");
    fs::write(place.path("backup.toml"), inside).unwrap();
    let refused = place.plan().check_against(&platform).unwrap_err().to_string();
    assert!(refused.contains("inside"), "{refused}");
    for location in ["relative/path", "rclone:", "rclone:remote", ""] {
        let other = format!("[repository]\nlocation = \"{location}\"\npassword_file = \"x\"\n");
        fs::write(place.path("backup.toml"), other).unwrap();
        let refused = Plan::load(&place.path("backup.toml")).unwrap_err().to_string();
        assert!(refused.contains("repository.location"), "{location}: {refused}");
    }
}

#[test]
fn a_repository_that_is_away_is_not_made_again() {
    let place = Place::new();
    let (plan, platform) = (place.plan(), place.platform("data"));
    place.fill(1).stop();
    let refused = gx_backup::run(&plan, &platform, &|_| ()).unwrap_err().to_string();
    assert!(refused.contains("there is no repository"), "{refused}");
    assert!(!place.path("repository/config").exists());
    Repo::init(&plan).unwrap();
    assert!(Repo::init(&plan).unwrap_err().to_string().contains("already"));
}
