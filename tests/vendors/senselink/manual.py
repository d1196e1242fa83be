"""The manual's own frames, byte for byte, its slips included."""

SHAPE = '''{
    "code": 30000,
    "desc": "",
    "message""",
    "data": {
      ...
    }
}'''

CONNECTED = """{
 "code": 20000,
 "message": " Connected!",
 "desc": "Connected!"
}"""

DENIED = """{
 "code": 20002,
 "message": "Permission Denied!",
 "desc": "app key not exist"
}"""

HEARTBEAT = """{
 "code": 10000,
 "desc": "heart beat",
 "message": "heart beat"
}"""

RECORD = """{
 "code":30000,
 "message":"push record",
 "data":{
 "id":1364591,
 "userId":0,
 "name":"",
 "type":3,
 "avatar":"",
 "direction":0,
 "verifyScore":0,
  "receptionUserId":0,
 "receptionUserName":"",
 "groups": [
 {
 "id": 1,
 "name": "Default group",
 "type": 1
 }
 ],
 "deviceName":"bella pro",
 "sn":"SPSP-f26131cf5301be29b3a6f7be150ed330",
 "signDate":"2019-09-29",
 "signTime":1569725174,
 "signAvatar":"5d901af663cdaf0001252bb9",
 "signBgAvatar":"5d901af663cdaf0001252bba",
 "mobile":"",
 "icNumber":"",
 "idNumber":"",
 "jobNumber":"",
 "remark":"",
 "entryMode":1,
 "signTimeZone":"+08:00",
 "docPhoto":"",
 "location":"306",
 "abnormalType":0
 }
}"""

CONNECTED_2 = """{
    "code": 20000,
    "message": "Connected!",
    "desc": "Connected!"
}"""

DENIED_2 = """{
    "code": 20002,
    "message": "Permission Denied!",
    "desc": "app key not exist"
}"""

HEARTBEAT_2 = """{
    "code": 10000,
    "desc": "heart beat",
    "message": "heart beat"
}"""

ALERT = """{
 "code": 30100,// アラートレコード
 "desc": "",
 "message""push alarm",
    "data": {
        "id": 0,
        "level": 0,
        "code": 0, 
        "description": "", 
        "status": 0, 
        "traceId": "", 
        "deviceId": 0,
        "deviceName": "", 
        "deviceSn": "",
        "deviceLocation": "", 
        "alarmTime": "", 
        "releaseTime": "",
        "alarmPhoto": "", 
        "resloveOption": 0 
    }
}"""  # noqa: W291
