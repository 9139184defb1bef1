//! What one host is and what its camera could do: the answer to `facts`. Facts only: what they mean is for the deployer.

use serde::{Deserialize, Serialize};

/// One host. `None` stands for what this host does not tell.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct HostFacts {
    /// "Raspberry Pi 4 Model B Rev 1.4"; only boards with a device tree have one.
    pub model: Option<String>,
    /// "Debian GNU/Linux 12 (bookworm)"
    pub system: Option<String>,
    /// The kernel's release and architecture: "6.1.21-v8+", "aarch64".
    pub kernel: Option<String>,
    pub kernel_architecture: Option<String>,
    /// The architecture of the packages: "armhf". A 64-bit kernel below 32-bit packages is common.
    pub userland_architecture: Option<String>,
    /// Bytes.
    pub memory: Option<u64>,
    /// What the firmware keeps for the GPU, in its own words: "76M".
    pub gpu_memory: Option<String>,
    /// The firmware's flags of undervoltage and throttling (`vcgencmd get_throttled`): bits 0 to 3 now, 16 to 19 since boot.
    pub throttled: Option<u32>,
    pub clock_synchronised: Option<bool>,
    pub root: RootFacts,
    pub camera: CameraFacts,
}

/// The root filesystem.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootFacts {
    /// "ext4"; "overlay" forgets everything at a reboot when its upper layer is in memory.
    pub kind: Option<String>,
    pub read_only: Option<bool>,
    /// Bytes that root may still use.
    pub free: Option<u64>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CameraFacts {
    pub stack: CameraStack,
    pub devices: Vec<VideoDevice>,
    /// The program of libcamera's that was asked for cameras, if there is one.
    pub listed_by: Option<String>,
    /// What it lists, a camera each.
    pub listed: Vec<String>,
    /// Why it lists nothing, if it failed.
    pub listing_failed: Option<String>,
    /// The ways of the deployed configuration, best first.
    pub pipelines: Vec<PipelineFacts>,
    /// Why there are none.
    pub no_pipelines: Option<String>,
    /// Who has a camera's device open.
    pub holders: Vec<Holder>,
    /// Services that are active and are known to take the camera.
    pub takers: Vec<String>,
}

/// Which software the Pi's own camera belongs to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CameraStack {
    /// The firmware's, through V4L2.
    Legacy,
    /// libcamera on a Pi up to 4, which has an H.264 encoder.
    Vc4,
    /// libcamera on a Pi 5, which has none.
    Pisp,
    #[default]
    None,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VideoDevice {
    /// "/dev/video0"
    pub path: String,
    /// "/dev/v4l/by-id/usb-046d_HD_Webcam_C270-video-index0", which stays when others are plugged in first; only what
    /// tells its serial number or its model to udev has one.
    pub lasting: Option<String>,
    pub driver: String,
    pub card: String,
    /// What it delivers, four characters each ("MJPG"); none of what delivers no pictures, as a USB camera's second device.
    #[serde(default)]
    pub formats: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PipelineFacts {
    pub name: String,
    /// What keeps it from running here; `None`: nothing does.
    pub obstacle: Option<String>,
}

/// A process that has a video device open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    pub device: String,
    pub pid: u32,
    pub program: String,
    /// The systemd unit it belongs to.
    pub unit: Option<String>,
}
